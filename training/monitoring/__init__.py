"""Watching a model and its policy after training: weeks of the decision log beside what training saw."""
