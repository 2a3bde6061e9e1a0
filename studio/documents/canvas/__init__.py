"""Canvas documents: pictures placed on an endless plane, with undo that outlives the program."""
