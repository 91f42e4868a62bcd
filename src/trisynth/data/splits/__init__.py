"""Splits of a data set into training, test and validation rows; equal records stay on one side."""
