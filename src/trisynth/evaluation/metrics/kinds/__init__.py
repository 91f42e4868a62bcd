"""Metrics of columns of other kinds than numbers and categories: images, series and texts."""
