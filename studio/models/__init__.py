"""What models this machine has, what each is for, and whether it fits; never imports a model library."""
