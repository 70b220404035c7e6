"""USD stages with time samples, through usd-core."""
