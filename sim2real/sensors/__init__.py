"""Sensors: what real cameras and depth cameras make of ideal pictures and depth, by named presets; labels stay true."""

from .frames import SensedFrame as SensedFrame
from .frames import sensed_frames as sensed_frames
from .presets import NAMES as NAMES
from .presets import read_sensor as read_sensor
from .presets import sensor as sensor
from .presets import sensor_of as sensor_of
from .records import Compression as Compression
from .records import DepthCamera as DepthCamera
from .records import Metering as Metering
from .records import Picture as Picture
from .records import Sensor as Sensor
from .records import Shutter as Shutter
from .records import TimeOfFlight as TimeOfFlight
from .records import Triangulation as Triangulation
from .write import write_sensed as write_sensed
