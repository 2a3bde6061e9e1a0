"""Projects and the documents in them; no Qt."""
