"""The engine that needs no daemon: an image store, and what pulls, pushes and builds with it."""
