"""User files: decompressed, decoded, and reduced to the table that they contain."""
