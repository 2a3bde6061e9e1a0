"""The link between the studio and a worker process: messages, frames and pixels. Standard library and msgspec only."""
