"""Changing footage that is there: in part, or to more pixels."""
