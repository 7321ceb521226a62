"""Loans of a Nigerian digital lender as canonical tables: ``python examples/superlender.py SRC OUT``.

SRC holds ``trainprevloans.csv``, ``trainperf.csv`` and ``traindemographics_nogps.csv`` (the SuperLender data set; not
part of this project). What was decided in mapping them:

- An account is a customer, a debt a loan. Loans are issued at ``creationdate``, owe ``totaldue``, and fall due at
  ``firstduedate``; a current loan has none, so it falls due ``min(termdays, 30)`` days after its creation.
- **Clocks.** ``creationdate`` is UTC; ``closeddate`` is Lagos time, an hour ahead. Read as one clock, 756 current loans
  would be granted before the previous one was closed, each by less than 60 minutes and none by more; read as two, none.
- An earlier loan is paid at ``closeddate``. Every one of them is closed: customers whose loan never was do not appear,
  so that shares of good payers in the past are higher than a lender sees them.
- **The label.** Of a current loan only ``good_bad_flag`` is known. Good becomes a payment as its due day begins; Bad
  becomes no payment, and an ``assigned`` event at the same moment: nobody knows when such a loan was paid, so it leaves
  the observation. Both kinds leave together, so that being there late in a term tells nothing about the flag.
- Demographics carry no date: they count as always known, and validation says so. Three customers in a thousand have
  two records; the smallest of each value is kept. Amounts are naira. There are no contacts and no decisions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

SOURCES = {"previous": "trainprevloans.csv", "current": "trainperf.csv", "people": "traindemographics_nogps.csv"}

# The day on which a current loan falls due begins at midnight in Lagos.
DUE_BEGINS = "CAST(due_on AS TIMESTAMP) AT TIME ZONE 'Africa/Lagos'"

VIEWS = {
    "previous_loans": """
        SELECT systemloanid AS debt_id, customerid AS account_id, totaldue AS amount, termdays,
            CAST(firstduedate AS DATE) AS due_on,
            creationdate AT TIME ZONE 'UTC' AS occurred_at,
            closeddate AT TIME ZONE 'Africa/Lagos' AS closed_at
        FROM previous""",
    "current_loans": """
        SELECT systemloanid AS debt_id, customerid AS account_id, totaldue AS amount, termdays, good_bad_flag,
            CAST(timezone('Africa/Lagos', creationdate AT TIME ZONE 'UTC') AS DATE)
                + CAST(least(termdays, 30) AS INTEGER) AS due_on,
            creationdate AT TIME ZONE 'UTC' AS occurred_at
        FROM current""",
}

TABLES = {
    "accounts": """
        SELECT customer AS account_id, 'Africa/Lagos' AS timezone, min(birth_year) AS birth_year,
            min(bank_account_type) AS bank_account_type, min(bank_name_clients) AS bank_name,
            min(employment_status_clients) AS employment, min(level_of_education_clients) AS education
        FROM (SELECT customerid AS customer FROM previous UNION SELECT customerid FROM current)
        LEFT JOIN people ON customerid = customer
        GROUP BY customer ORDER BY customer""",
    "debts": """
        SELECT debt_id, account_id, CAST(amount AS DECIMAL(18, 2)) AS amount, due_on, occurred_at,
            occurred_at AS recorded_at, termdays || ' days' AS product
        FROM (FROM previous_loans SELECT * EXCLUDE closed_at UNION ALL BY NAME
              FROM current_loans SELECT * EXCLUDE good_bad_flag)
        ORDER BY debt_id""",
    "payments": f"""
        SELECT 'payment-' || debt_id AS payment_id, account_id, debt_id, CAST(amount AS DECIMAL(18, 2)) AS amount,
            paid_at AS occurred_at, paid_at AS recorded_at
        FROM (SELECT debt_id, account_id, amount, closed_at AS paid_at FROM previous_loans UNION ALL
              SELECT debt_id, account_id, amount, {DUE_BEGINS} FROM current_loans WHERE good_bad_flag = 'Good')
        ORDER BY debt_id""",
    "debt_events": f"""
        SELECT 'unobserved-' || debt_id AS event_id, account_id, debt_id, 'assigned' AS kind,
            {DUE_BEGINS} AS occurred_at, {DUE_BEGINS} AS recorded_at
        FROM current_loans WHERE good_bad_flag = 'Bad' ORDER BY debt_id""",
}


def convert(source: Path, out: Path) -> dict[str, int]:
    """Writes ``OUT/<table>.parquet`` and returns the number of rows of each."""
    missing = sorted(name for name in SOURCES.values() if not (source / name).is_file())
    if missing:
        raise FileNotFoundError(f"{source}: found no {', '.join(missing)}, needed the files of the SuperLender data")
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, file in SOURCES.items():
        connection.read_csv(str(source / file), header=True).create_view(name)
    for name, query in VIEWS.items():
        connection.execute(f"CREATE VIEW {name} AS {query}")
    rows = {}
    for table, query in TABLES.items():
        target = str(out / f"{table}.parquet").replace("'", "''")
        rows[table] = connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)").fetchall()[0][0]
    return rows


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python examples/superlender.py SRC OUT")
    for written, count in convert(Path(sys.argv[1]), Path(sys.argv[2])).items():
        print(f"{written:<12} {count:>7,} rows")
