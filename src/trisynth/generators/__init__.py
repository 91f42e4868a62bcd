"""Generators: one module or package per method, and the base class of all."""
