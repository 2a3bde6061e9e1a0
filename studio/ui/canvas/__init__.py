"""The Canvas room: pictures on an endless plane, made in place."""
