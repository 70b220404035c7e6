"""Calibration: the real camera, from masks of a known robot in known joint states."""

from .inputs import CalibrationOptions as CalibrationOptions
from .inputs import problem_of as problem_of
from .problem import Estimate as Estimate
from .problem import Problem as Problem
from .result import Calibration as Calibration
from .result import calibrate as calibrate
from .result import write_calibration as write_calibration
