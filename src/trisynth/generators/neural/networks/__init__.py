"""Networks of the methods, built from given random generators."""
