"""A Brazilian collection portfolio whose truth is known: debtors, their behaviour, and three years of events."""
