"""MuJoCo models and their states, which the mujoco package compiles and replays."""
