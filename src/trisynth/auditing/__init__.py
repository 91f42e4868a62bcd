"""Audits of a claimed epsilon: neighbouring tables, many fits, and a lower bound that holds with confidence."""
