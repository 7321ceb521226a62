"""The HTTP service: ledgers in, scores and decisions out, nothing of a debtor in errors, logs or metrics."""
