"""Words and code through llama.cpp: our own decode loop over its low-level interface."""
