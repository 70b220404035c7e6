"""Figures that say how good noise and footage are."""
