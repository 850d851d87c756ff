"""A setup as a file, and a test: what stands in it, and what it expects."""
