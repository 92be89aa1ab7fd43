"""Formulas and products that all floors above are written in."""
