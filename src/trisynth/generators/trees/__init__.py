"""Generators built from decision trees."""
