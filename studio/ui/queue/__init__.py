"""The queue as the window shows it: read in the background, listed above the status strip."""
