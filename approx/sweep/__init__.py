"""Many trainings: laid out in blocks, compiled, computed, and returned as one labelled Dataset."""
