"""All of Qt: the window, the bridge from the workers, the theme, shared widgets, one folder per room."""
