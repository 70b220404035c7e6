"""Pictures of a scene behind one protocol: ``deferred`` shading of our own visibility, ``pyrender``, ``mitsuba`` path tracing."""
