"""What MuJoCo draws of a model besides geoms: skins, flexes, tendons, sites."""
