"""Cleaning of a raw table by its declared facts and by the form of its cells."""
