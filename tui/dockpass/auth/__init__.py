"""Which login a command uses, and why. Pure: no files, no clock, no environment."""
