"""The Write room: Markdown source, words at the cursor."""
