"""A training run as something that can be looked at and done again: its configurations, its data, its record."""
