"""Pictures of a scene, behind one protocol: by deferred shading of our own visibility, by pyrender, by Mitsuba."""
