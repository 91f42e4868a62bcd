"""Search for the generator, loss weights and number of synthetic rows that help on a given table."""
