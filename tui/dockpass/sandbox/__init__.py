"""An embedded registry on loopback with GitLab-like tokens, for trying things out and for tests."""
