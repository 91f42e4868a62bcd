"""Tables to numbers and back, learned from real training rows only."""
