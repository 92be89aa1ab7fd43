"""Many trainings: their settings and seeds laid out in blocks, compiled, computed, and labelled."""
