"""The command line; see ``sim2real --help``."""
