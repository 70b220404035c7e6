"""The command line; see ``sim2real --help``."""

from .main import main as main
