"""Tables and figures of any results: on the screen, for print and for a single run."""
