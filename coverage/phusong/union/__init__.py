"""The exact union of discs and sectors: its boundary, its area in zones, its share of cells."""
