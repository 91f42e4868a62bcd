"""Cleaning of a raw table by its declared facts and by what its cells say."""
