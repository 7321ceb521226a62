"""Data gates: what is declared to hold of canonical tables before a model is trained on them, and what came of it."""
