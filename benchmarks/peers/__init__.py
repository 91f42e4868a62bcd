"""Our generators and their peers, side by side: ``python -m benchmarks.peers``."""
