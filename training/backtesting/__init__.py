"""The payment model at earlier moments: trained on what was known then, and judged on what came after."""
