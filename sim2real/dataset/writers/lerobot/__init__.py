"""LeRobotDataset v3.0: an episode per clip, a video per camera, whatever the recording carries in columns of its own dtype."""

from .write import write as write
