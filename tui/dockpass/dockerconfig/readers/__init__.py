"""How each tool that reads docker's config chooses a login for a registry, as data."""
