"""One's own tables as canonical ones: a mapping in YAML, checked against its sources, then run by DuckDB."""
