"""The settings room: a page made from the schema in `studio.app.settings`."""
