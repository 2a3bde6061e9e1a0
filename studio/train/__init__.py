"""Training: the starter models, LoRA and GAN."""
