"""HTTP server of synthetic rows: rows by number, class or condition as JSON, CSV or Arrow."""
