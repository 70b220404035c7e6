"""Scenes: triangles, materials, cameras and motion, whatever they were read from. Needs numpy only until a file is read."""

from ..camera import PINHOLE as PINHOLE
from ..camera import Camera as Camera
from ..camera import Lens as Lens
from .describe import describe as describe
from .inside import check_cameras as check_cameras
from .load import LoadOptions as LoadOptions
from .load import load as load
from .load import load_as as load_as
from .records import CornerColors as CornerColors
from .records import Instance as Instance
from .records import Lighting as Lighting
from .records import Maps as Maps
from .records import Material as Material
from .records import Mesh as Mesh
from .records import Mirror as Mirror
from .records import Part as Part
from .records import Scene as Scene
from .triangles import Triangles as Triangles
from .triangles import deformed_vertices as deformed_vertices
from .triangles import face_normals as face_normals
from .triangles import triangles_of as triangles_of
