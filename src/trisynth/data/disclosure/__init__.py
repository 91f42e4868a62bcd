"""Protection of people in the rows that leave: rare values, identifiers and free text."""
