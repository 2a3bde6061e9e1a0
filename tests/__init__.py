"""The tests; they mirror studio/."""
