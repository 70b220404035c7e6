"""What makes a frame of noise, in order: cells, sample, draw, cut; ``pipeline`` runs them."""
