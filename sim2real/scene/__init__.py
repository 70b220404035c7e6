"""Scenes: triangles, materials, cameras and motion, whatever they were read from. Needs numpy only until a file is read."""

from .describe import describe as describe
from .inside import check_cameras as check_cameras
from .lens import PINHOLE as PINHOLE
from .lens import Lens as Lens
from .lens import check_lens as check_lens
from .lens import pixels_of as pixels_of
from .lens import points_of as points_of
from .lens import ray_table as ray_table
from .lens import rays_of as rays_of
from .load import LoadOptions as LoadOptions
from .load import load as load
from .load import load_as as load_as
from .records import Camera as Camera
from .records import Instance as Instance
from .records import Lighting as Lighting
from .records import Material as Material
from .records import Mesh as Mesh
from .records import Part as Part
from .records import Scene as Scene
from .triangles import Triangles as Triangles
from .triangles import deformed_vertices as deformed_vertices
from .triangles import face_normals as face_normals
from .triangles import triangles_of as triangles_of
