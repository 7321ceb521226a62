"""The catalogue by families, one file for each few of them; ``features.catalogue`` puts them in order."""
