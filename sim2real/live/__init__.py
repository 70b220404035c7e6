"""Pictures of a running simulation, one state at a time: the same bits as the clip that is rendered of its states afterwards.

``Live`` takes the poses of any scene, ``LiveMujoco`` the data of a MuJoCo model, and ``observations.LiveObservations`` puts it
between a gymnasium environment and a policy.
"""

from .live import Live as Live
from .live import LiveOptions as LiveOptions
from .live import Seen as Seen
from .live import State as State
from .mujoco import LiveMujoco as LiveMujoco
