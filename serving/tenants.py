"""Whose data it is: a tenant is a creditor, and never sees another."""

DEFAULT_TENANT = "default"
"""Whose it is where nobody says otherwise, as where there are no keys."""
TENANT_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
