"""Synthetic rows in files: one file, or a folder of parts."""
