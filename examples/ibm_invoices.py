"""Invoices of a hundred firms as canonical tables: ``python examples/ibm_invoices.py SRC OUT``.

SRC holds ``WA_Fn-UseC_-Accounts-Receivable.csv`` (the IBM accounts-receivable sample; not part of this project).
What was decided in mapping it:

- An account is a customer, a debt an invoice: issued ``InvoiceDate``, due ``DueDate``, amount ``InvoiceAmount``.
- An invoice is paid in full at ``SettledDate``. The files know days, not hours: things happen as the day begins (UTC),
  and a payment is recorded as the next day begins. On the day an invoice is issued, nobody has seen that day's bank
  statement; and a payment exactly 30 days after the issue still falls into 30 days from it, as "not late" does.
- ``PaperlessDate`` makes a second version of the account, known from that day on: before it, the customer gets paper.
- ``Disputed``, ``DaysToSettle`` and ``DaysLate`` are hindsight without a date: they are left out.
- ``countryCode`` is in no list of countries, so it is an attribute, and the time zone is UTC. Amounts are dollars.
  There are no contacts and no decisions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

SOURCE = "WA_Fn-UseC_-Accounts-Receivable.csv"
FIRST_DAY = "2012-01-01"  # before the first invoice, and before the first customer went paperless

VIEW = """
    SELECT customerID AS account_id, invoiceNumber AS debt_id, CAST(InvoiceAmount AS DECIMAL(18, 2)) AS amount,
        CAST(countryCode AS VARCHAR) AS country_code, strptime(DueDate, '%m/%d/%Y')::DATE AS due_on,
        strptime(InvoiceDate, '%m/%d/%Y') AT TIME ZONE 'UTC' AS issued_at,
        strptime(SettledDate, '%m/%d/%Y') AT TIME ZONE 'UTC' AS settled_at,
        strptime(PaperlessDate, '%m/%d/%Y') AT TIME ZONE 'UTC' AS paperless_at
    FROM invoices"""

TABLES = {
    "accounts": f"""
        SELECT DISTINCT account_id, 'Etc/UTC' AS timezone, country_code, bill_format, recorded_at FROM (
            SELECT *, 'paper' AS bill_format, TIMESTAMPTZ '{FIRST_DAY} 00:00:00Z' AS recorded_at FROM source UNION ALL
            SELECT *, 'electronic', paperless_at FROM source)
        ORDER BY account_id, recorded_at""",
    "debts": """
        SELECT debt_id, account_id, amount, due_on, issued_at AS occurred_at, issued_at AS recorded_at
        FROM source ORDER BY debt_id""",
    "payments": """
        SELECT 'payment-' || debt_id AS payment_id, account_id, debt_id, amount, settled_at AS occurred_at,
            settled_at + INTERVAL 1 DAY AS recorded_at
        FROM source ORDER BY debt_id""",
}


def convert(source: Path, out: Path) -> dict[str, int]:
    """Writes ``OUT/<table>.parquet`` and returns the number of rows of each."""
    file = source / SOURCE
    if not file.is_file():
        raise FileNotFoundError(f"{source}: found no {SOURCE}, needed the IBM accounts-receivable sample")
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.read_csv(str(file), header=True, all_varchar=True).create_view("invoices")
    connection.execute(f"CREATE VIEW source AS {VIEW}")
    rows = {}
    for table, query in TABLES.items():
        target = str(out / f"{table}.parquet").replace("'", "''")
        rows[table] = connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)").fetchall()[0][0]
    return rows


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python examples/ibm_invoices.py SRC OUT")
    for written, count in convert(Path(sys.argv[1]), Path(sys.argv[2])).items():
        print(f"{written:<12} {count:>7,} rows")
