"""Files as people have them, from ``prepare`` to synthetic rows, with checks of the rows that come out."""
