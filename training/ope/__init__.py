"""Off-policy evaluation: what a policy would have been worth, from decisions that another policy took and logged.

Estimators in ``estimators``, what they may be asked in ``support``, what follows from them in ``verdict``. The logs
come from a plain table (``table``) or from canonical data (``canonical``).
"""
