import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from sim2real.prepare.assets import Assets, names
from sim2real.prepare.assets.models import Model, material_of, read_catalog
from sim2real.prepare.assets.obj_files import read_materials, read_wavefront
from sim2real.scene import face_normals
from sim2real.scene.material_kinds import MATERIAL_KINDS

# A wedge: y up, front +z, 2 wide, 1 tall, 4 deep; its sloping side is a quad, its texture only on the floor.
OBJ = """# a wedge
mtllib wedge.mtl
v -1 0 -2
v 1 0 -2
v 1 0 2
v -1 0 2
v -1 1 -2
v 1 1 -2
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 -1 0
usemtl oak wood
f 1/1/1 2/2/1 3/3/1 4/4/1
usemtl Chrome
f 4 3 6 5
f -5 -6 -2 -1
"""
MTL = """newmtl oak wood
Kd 1 1 1
map_Kd oak.png
newmtl Chrome
Kd 0.5 0.5 0.5
Ks 0.9 0.9 0.9
Ns 200
"""
CATALOGUE = """name=Things
name#2=Phone
model#2=/things/phone/phone.obj
width#2=10
depth#2=10
height#2=10
name#1=Bowl
model#1=/things/bowl/wedge.obj
creator#1=Ada
width#1=20
depth#1=40.0
height#1=10
elevation#1=115
modelRotation#1=1 0 0 0 1 0 0 0 1
icon#3=/no/model.png
"""


@pytest.fixture
def library(tmp_path):
    picture = io.BytesIO()
    Image.fromarray(np.full((4, 8, 3), 90, np.uint8)).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "Scopia.sh3f", "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", CATALOGUE)
        for folder in ("bowl", "phone"):
            archive.writestr(f"things/{folder}/{'wedge' if folder == 'bowl' else 'phone'}.obj", OBJ)
            archive.writestr(f"things/{folder}/wedge.mtl", MTL)
            archive.writestr(f"things/{folder}/oak.png", picture.getvalue())
    return Assets((tmp_path,), tmp_path)


def test_polygons_become_fans_and_negative_indices_count_from_the_end():
    floor, rest = read_wavefront(OBJ, lambda name: MTL).parts
    assert floor.corners.shape == (2, 3, 3)
    assert floor.uv.shape == (2, 3, 2)
    assert rest.corners.shape == (4, 3, 3)
    assert rest.uv is None
    assert rest.normals is None
    np.testing.assert_array_equal(rest.corners[2], [[1, 0, -2], [-1, 0, -2], [-1, 1, -2]])


def test_corners_that_do_not_exist_take_their_triangle_with_them():
    assert read_wavefront("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nf 1 2 9\n", lambda name: "").parts[0].corners.shape == (1, 3, 3)


def test_material_files_keep_every_keyword_of_every_material():
    assert read_materials(MTL)["oak wood"]["map_Kd"] == "oak.png"
    assert read_materials(MTL)["Chrome"]["Ns"] == "200"


def test_catalogs_are_in_metres_and_in_order():
    bowl, phone = read_catalog(CATALOGUE, "Scopia")
    assert (bowl.name, bowl.folder, bowl.author) == ("Bowl", "bowl", "Ada")
    assert bowl.size == pytest.approx((0.2, 0.4, 0.1))
    assert bowl.elevation_m == pytest.approx(1.15)
    assert phone.folder == "phone"


def test_a_model_stands_on_the_ground_with_its_front_to_minus_y(library):
    (bowl,) = library.named(("bowl",))
    floor, steep = library.meshes(bowl)
    low = np.minimum(floor.vertices.min(axis=0), steep.vertices.min(axis=0))
    high = np.maximum(floor.vertices.max(axis=0), steep.vertices.max(axis=0))
    np.testing.assert_allclose(low, [-0.1, -0.2, 0], atol=1e-6)
    np.testing.assert_allclose(high, [0.1, 0.2, 0.1], atol=1e-6)
    assert steep.vertices[steep.vertices[:, 2] > 0.05, 1].min() == pytest.approx(0.2)  # its tall side is the back
    slope = face_normals(steep.vertices, steep.faces)[:2]
    assert (slope[:, 2] > 0.5).all()
    assert (slope[:, 1] < 0).all()
    assert (np.einsum("fk,fck->fc", face_normals(floor.vertices, floor.faces), floor.normals) > 0.9).all()


def test_words_and_numbers_tell_what_a_model_is_made_of(library):
    (bowl,) = library.named(("bowl",))
    floor, steep = (mesh.material for mesh in library.meshes(bowl))
    assert floor.kind == "wood"
    assert floor.texture.shape == (4, 8, 3)
    assert steep.kind == "metal"
    assert steep.metallic > 0.5
    assert steep.texture is None


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("glass", {"Kd": "1 1 1"}, "glass"),
        ("shiny", {"d": "0.3"}, "glass"),
        ("fabric01", {}, "cloth"),
        ("Material.003", {}, "plastic"),
    ],
)
def test_kinds_of_materials(name, said, kind):
    model = Model("Thing", "thing", "Scopia", "x/thing/thing.obj", "Ada", (1.0, 1.0, 1.0), ())
    made = material_of(name, said, None, model)
    assert made.kind == kind
    assert made.kind in MATERIAL_KINDS
    assert (made.base_color[3] < 0.5) == (kind == "glass")


def test_what_carries_a_brand_is_never_taken(library):
    assert library.named(("phone",)) == ()
    chosen = {*names.CLUTTER, *names.FURNITURE, *names.SOCKETS, *names.SWITCHES, *names.HANGING}
    assert not chosen & names.EXCLUDED
    words = ("apple_", "apple-", "imac", "iphone", "vw-", "seat_", "playstation", "reflex", "camera", "phone")
    assert not [folder for folder in chosen for word in words if word in folder.lower()]


def test_credits_name_the_authors_of_what_may_be_used(library):
    by_license = {credit.license: credit.authors for credit in library.credits()}
    assert by_license["CC-BY 3.0"] == "Ada"
    assert "CC0 1.0" in by_license
