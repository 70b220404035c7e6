"""Training of embedded models: recipes, samples keyed by their number, losses, and a loop that can be stopped at any moment.

This package sees arrays and no scene: ``prepare`` makes clips and noise, ``cli`` puts the two together.
"""
