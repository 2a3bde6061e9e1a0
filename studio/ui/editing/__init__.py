"""What the rooms with text share: an editor with its own history, streaming at an anchor, files that are never lost."""
