"""How deep a tree may be to be explained exactly; apart from the kernels, which take a second to import."""

from __future__ import annotations

POINTS = (3, 4, 6, 8, 12, 16)
"""Numbers of points that the quadrature may have: each is exact for twice as many features on one path."""
DEEPEST = 2 * POINTS[-1]
"""A path no longer than this asks about no more features than the largest quadrature is exact for."""
