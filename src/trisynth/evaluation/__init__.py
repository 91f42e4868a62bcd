"""Training sets to compare, the classifiers trained on them, and the metrics that compare rows and predictions."""
