"""Finished steps of a training, kept by the hash of what they depend on, so that a run that was stopped goes on."""
