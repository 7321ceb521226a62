"""The search for a better shape of the boosters: what is tried, how it is judged, and when it is taken."""
