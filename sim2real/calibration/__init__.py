"""Calibration: the real camera, from masks of a known robot in known joint states."""

from .inputs import CalibrationOptions as CalibrationOptions
from .inputs import problem_of as problem_of
from .inputs import start_camera as start_camera
from .problem import Estimate as Estimate
from .problem import Problem as Problem
from .result import Calibration as Calibration
from .result import calibrate as calibrate
from .result import write_calibration as write_calibration
from .soft_pictures import Paint as Paint
from .soft_pictures import SoftPictures as SoftPictures
from .soft_pictures import soft_pictures as soft_pictures
