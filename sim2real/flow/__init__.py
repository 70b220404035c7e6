"""Optical flow: exact flow and visibility from geometry; estimated or supplied motion of real video."""

from .estimated import DisFlow as DisFlow
from .estimated import FlowEstimator as FlowEstimator
from .estimated import RaftFlow as RaftFlow
from .estimated import believed_flow as believed_flow
from .estimated import estimated_flow as estimated_flow
from .exact import Flow as Flow
from .exact import exact_flow as exact_flow
from .supplied import flow_files as flow_files
from .supplied import inverted_flow as inverted_flow
from .supplied import motion_of_depth as motion_of_depth
from .supplied import read_flow as read_flow
