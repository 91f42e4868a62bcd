"""The sequence of a forest: responses of its columns, likelihoods of known cells, and completion of partial rows."""
