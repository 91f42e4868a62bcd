"""Our generators on the tables, splits and scores of the published comparisons."""
