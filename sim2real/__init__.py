"""Noise that sticks to surfaces, and the labeled footage that video models make from it.

Conventions, everywhere in this package:

- Transforms are named ``a_from_b`` (4x4, columns) and compose by adjacent names: ``a_from_c = a_from_b @ b_from_c``.
- Cameras look along +z, x right, y down (OpenCV); pixel centers lie at 0.5; sizes are (height, width).
- Quaternions are (w, x, y, z); lengths are metres, angles radians; any other unit is a suffix (``_px``, ``_deg``).
- Arrays have frames first and channels before height and width; ``noise`` always has unit variance.

Importing this module loads nothing heavy.
"""

__version__ = "0.1.0"
