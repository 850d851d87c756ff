"""Readers of every form in which variables are written down; each goes from a text to a `Reading`."""
