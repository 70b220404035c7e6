"""Rasterizers behind the one protocol: our kernels, and adapters for those of others. Each is loaded when it is asked for."""
