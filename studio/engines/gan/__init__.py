"""Generative adversarial networks: upscaling models of other people, and the sprite generator of our own."""
