"""One job: its identity, its steps and its record."""
