"""The store of the service: ledger rows, the decision log, outcomes; durable before anything is acknowledged."""
