"""Names of the files in which a bundle's evaluation keeps held-out rows: the arrays, and what their codes mean."""

from __future__ import annotations

ROWS, CODES = "report_rows.npz", "report_codes.json"
