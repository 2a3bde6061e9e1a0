"""Adapters to the model libraries, one folder per library, behind `studio.core.engine.Engine`."""
