"""Recordings of simulators that say where things are, and not what they look like: a mapping file says that."""
