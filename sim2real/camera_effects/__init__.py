"""What cameras do to pictures: development of light, and the lens, sensor and processor of a phone, a webcam, a RealSense."""

from .apply import apply as apply
from .apply import apply_frame as apply_frame
from .apply import binned as binned
from .develop import develop as develop
from .development import Development as Development
from .records import NAMES as NAMES
from .records import CameraEffects as CameraEffects
from .records import effects as effects
