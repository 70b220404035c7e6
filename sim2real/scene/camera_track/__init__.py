"""Camera paths of other programs (TUM, KITTI, nerfstudio, COLMAP), through which any scene can be seen."""
