"""The durable queue and the supervisor of the worker processes. Knows no engine, no Qt, no model library."""
