"""Report of a run or a sweep: one self-contained HTML page, and the same content as JSON."""
