"""Tunes: ABC notation read, bars counted, and what musicians use written: MIDI and sound."""
