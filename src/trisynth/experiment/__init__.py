"""Jobs: their identity, objects, steps and records."""
