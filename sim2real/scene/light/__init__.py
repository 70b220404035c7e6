"""What lights a scene from outside: photographed panoramas, the sky and sun of plain renderers."""
