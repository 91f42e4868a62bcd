"""Generators trained by gradients on the objective ``L_total``."""
