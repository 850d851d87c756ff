"""Speaking to a registry, and deciding what may be deleted there."""
