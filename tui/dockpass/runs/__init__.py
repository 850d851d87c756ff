"""A decision becomes a plan, a plan becomes a run, a run writes events."""
