"""From features to decisions: models that only predict, eligibility, value in money, policy, explanation, records."""
