"""Data sets of images and series."""
