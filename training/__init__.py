"""From canonical tables to a verified model bundle: labels, splits, models, evaluation, registry and report."""
