"""What holds for every test: nothing is a question of how fast the machine is."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("acerto", deadline=None)
settings.load_profile("acerto")
