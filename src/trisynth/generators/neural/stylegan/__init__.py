"""StyleGAN: its networks, and the generator that trains them."""
