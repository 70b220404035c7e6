"""The embedded model: a small convolutional video denoiser that is given all that a simulator knows.

- ``conditions``: from kinds of pictures to the channels that the network sees, keeping or replacing surfaces.
- ``denoiser``: the network.
- ``folder``: models on disk.
- ``surfaces``, ``looks``: what things may be made of, and draws that go together.
- ``clear``: what one sees through.
- ``footage``: conditions from a clip folder, as it is or restyled.
- ``sample``, ``pipeline``: frames in order, in one step or in several through diffusers' own pipeline.
- ``family``: all of it as an adapter.
"""

INFO_FILE = "sim2real.json"
"""Tells a folder with a model of this family."""
