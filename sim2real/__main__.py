"""``python -m sim2real`` is ``sim2real``."""

from .cli.main import main

if __name__ == "__main__":
    main()
