"""What main.py needs before anything is installed: the standard library only, and nothing else of studio."""
