"""Docker's config.json: reading it, resolving a host's entry, and the temporary one of a run."""
