"""Recordings of ROS 2, ROS 1 and Foxglove: robots and things that are moved by transforms and joint states."""
