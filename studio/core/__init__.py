"""The words that every part of the studio shares; standard library and msgspec only."""
