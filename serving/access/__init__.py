"""Who may ask what: keys, scopes and tenants, how often, and how large the head of a request may be."""
