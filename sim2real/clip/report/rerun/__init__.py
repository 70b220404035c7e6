"""A clip folder as a recording for Rerun's viewer."""

from .recording import write_recording as write_recording
