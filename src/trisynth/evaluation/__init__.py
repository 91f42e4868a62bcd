"""Training sets to compare, classifiers trained on them, and metrics of rows and predictions."""
