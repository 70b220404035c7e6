"""Pictures of a scene: ``deferred`` shading of our own visibility, and ``mitsuba`` path tracing."""
