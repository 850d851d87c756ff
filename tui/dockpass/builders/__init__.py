"""Who builds an image: what each builder can do, which one is taken and why, and the builders themselves."""
