"""glTF files that move or are looked at: animations, skins, morph targets, cameras and lights. Files at rest are meshes."""
