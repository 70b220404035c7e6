"""The clip folder: what one stage hands to another, and to a person.

One rollout, seen by one or more cameras: noise, pictures, labels, videos, a contact sheet and a report. A folder is whole or
absent. This package knows files only; it imports neither a rasterizer nor a model.
"""

from .command import command_for as command_for
from .folder import Clip as Clip
from .folder import check_output as check_output
from .folder import new_folder as new_folder
from .folder import read_clip as read_clip
from .folder import readable_write_errors as readable_write_errors
from .record import CameraRecord as CameraRecord
from .record import ClipRecord as ClipRecord
from .record import InstanceRecord as InstanceRecord
from .record import NoiseRecord as NoiseRecord
from .record import RgbRecord as RgbRecord
from .record import SceneRecord as SceneRecord
from .record import write_record as write_record
from .report.page import write_pages as write_pages
from .report.page import write_report as write_report
from .report.sheet import write_sheet as write_sheet
from .video import VideoWriter as VideoWriter
from .video import read_video as read_video
