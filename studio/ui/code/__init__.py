"""The Code room: source files, completed and written at the cursor."""
