"""A randomised offer test as canonical tables: ``python examples/starbucks_offers.py SRC OUT``.

SRC holds ``offer_events.csv.gz`` and ``profile.json`` (the Starbucks offers, simulated by the retailer; not part of
this project): six waves within a month, in each an offer for three customers in four, drawn evenly from ten; 76,277
offers, and whether and when each was completed. Nobody owes anything in them, and Acerto decides on what is owed. What
was decided in mapping them:

- An account is a customer, a decision is a customer in a wave. Given that an offer is sent each of the ten has 0.1, so
  ``action_prob`` is 0.075, and 0.25 for ``wait``. That three in four are sent one is inferred: 74.8 % are, in each
  wave alike, and nothing known beforehand tells who (AUC 0.50 on customers left out).
- Channels always go together, so that a channel is the whole set: ``web_email``, say. A completion is a response and a
  payment of what the offer asked to be spent (``difficulty``). Offers that only inform ask for nothing, and cannot be
  completed.
- ``net_of_rewards.parquet`` is no canonical table but a plain log (docs/evaluation.md) of the wave that can be judged:
  what each draw brought, less the reward where it was earned; it holds each constant offer as a policy.
- **What is owed** must not give away the draw. So a microsecond before it every customer owes the same: 20.00, the
  most that any offer asks for, due in ten days, as long as the longest offer runs. A completion pays a part of it and
  forgives the rest (``discount``). An offer that runs out cancels it, and so does no offer, at once. What was sent in
  earlier waves may show.
- **Clocks.** The file counts hours from the start of the test. Day 0 is set to the day after the last customer joined
  (2018-07-27): ``days_registered``, counted at the end, becomes the day of joining, which was known throughout.
- Age 118 stands for missing, with gender and income. Age (as year of birth) and gender are protected: no model reads
  them. ``age``, ``income`` and ``gender`` of the events have their gaps filled in, so they are taken from the profile.
  No attribute has a date: all count as always known.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

EVENTS, PROFILE = "offer_events.csv.gz", "profile.json"
DAY_0 = "TIMESTAMPTZ '2018-07-27 00:00:00Z'"
OWED, RUNS_DAYS = 20, 10
SENT_TO, OFFERS = 0.75, 10
JUDGED_HOUR = 504  # the last wave that is followed for eight days
NAME = "channel || '/' || offer || '/any'"

VIEWS = {
    "sent": """
        SELECT customer_id AS account_id, offer_received_time AS hour, difficulty, reward, hour + duration AS end_hour,
            concat_ws('_', if(ch_web = 1, 'web', NULL), if(ch_email = 1, 'email', NULL),
                if(ch_mobile = 1, 'mobile', NULL), if(ch_social = 1, 'social', NULL)) AS channel,
            if(offer_type = 'informational', 'info_', offer_type || difficulty || '_')
                || duration // 24 || 'd' AS offer,
            if(offer_completed = 1, CAST(offer_completed_time AS BIGINT), NULL) AS completed_hour
        FROM events""",
    "waves": "SELECT profile.id AS account_id, hour FROM profile CROSS JOIN (SELECT DISTINCT hour FROM sent)",
    "draws": f"""
        SELECT account_id, account_id || '-' || hour AS id, hour, difficulty, reward,
            coalesce(channel, 'wait') AS channel, coalesce(offer, 'none') AS offer,
            {DAY_0} + to_hours(hour) AS drawn_at, {DAY_0} + to_hours(coalesce(end_hour, hour)) AS ends_at,
            {DAY_0} + to_hours(completed_hour) AS completed_at
        FROM waves LEFT JOIN sent USING (account_id, hour)""",
}

TABLES = {
    "accounts": """
        SELECT id AS account_id, strptime(became_member_on, '%Y%m%d') AT TIME ZONE 'UTC' AS opened_at,
            'Etc/UTC' AS timezone, CAST(if(age = 118, NULL, 2018 - age) AS INTEGER) AS birth_year, gender, income
        FROM profile ORDER BY id""",
    "debts": f"""
        SELECT id AS debt_id, account_id, CAST({OWED} AS DECIMAL(18, 2)) AS amount,
            CAST(drawn_at AS DATE) + {RUNS_DAYS} AS due_on, drawn_at - INTERVAL 1 MICROSECOND AS occurred_at,
            occurred_at AS recorded_at
        FROM draws ORDER BY id""",
    "debt_events": f"""
        SELECT 'forgiven-' || id AS event_id, account_id, id AS debt_id, 'discount' AS kind,
            CAST(difficulty - {OWED} AS DECIMAL(18, 2)) AS amount, completed_at AS occurred_at,
            completed_at AS recorded_at
        FROM draws WHERE completed_at IS NOT NULL AND difficulty < {OWED} UNION ALL
        SELECT 'over-' || id, account_id, id, 'cancelled', 0, ends_at, ends_at
        FROM draws WHERE completed_at IS NULL AND ends_at <= (SELECT max(completed_at) FROM draws)
        ORDER BY event_id""",
    "payments": """
        SELECT 'payment-' || id AS payment_id, account_id, id AS debt_id, CAST(difficulty AS DECIMAL(18, 2)) AS amount,
            completed_at AS occurred_at, completed_at AS recorded_at
        FROM draws WHERE completed_at IS NOT NULL ORDER BY id""",
    "contacts": """
        SELECT 'contact-' || id AS contact_id, account_id, channel, offer, id AS debt_id, id AS decision_id,
            drawn_at AS occurred_at, drawn_at AS recorded_at
        FROM draws WHERE channel <> 'wait' ORDER BY id""",
    "responses": """
        SELECT 'response-' || id AS response_id, account_id, 'offer_accepted' AS kind, 'contact-' || id AS contact_id,
            channel, completed_at AS occurred_at, completed_at AS recorded_at
        FROM draws WHERE completed_at IS NOT NULL ORDER BY id""",
    "decisions": f"""
        SELECT id AS decision_id, account_id, drawn_at AS decided_at, channel, offer, 'any' AS moment,
            if(channel = 'wait', {1 - SENT_TO}, {SENT_TO / OFFERS}) AS action_prob, 'even draw' AS policy,
            (SELECT string_agg(DISTINCT {NAME}, '|' ORDER BY {NAME}) FROM draws) AS eligible, drawn_at AS recorded_at
        FROM draws ORDER BY id""",
}

NET_LOG = f"""
    SELECT draws.id AS decision_id, account_id, account_id AS debtor_id, drawn_at AS decided_at, {NAME} AS action,
        if(channel = 'wait', {1 - SENT_TO}, {SENT_TO / OFFERS}) AS action_prob,
        if(completed_at IS NULL, 0.0, difficulty - reward) AS reward, income AS x_income, {{policies}}
    FROM draws JOIN profile ON account_id = profile.id WHERE hour = {JUDGED_HOUR} ORDER BY decision_id"""


def convert(source: Path, out: Path) -> dict[str, int]:
    """Writes ``OUT/<table>.parquet`` and returns the number of rows of each."""
    missing = [name for name in (EVENTS, PROFILE) if not (source / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{source}: found no {', '.join(missing)}, needed the files of the Starbucks offers")
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.read_csv(str(source / EVENTS), header=True).create_view("events")
    connection.read_json(str(source / PROFILE)).create_view("profile")
    for name, query in VIEWS.items():
        connection.execute(f"CREATE VIEW {name} AS {query}")
    offers = [row[0] for row in connection.execute("SELECT DISTINCT offer FROM draws ORDER BY offer").fetchall()]
    policies = ", ".join(f"CAST(offer = '{offer}' AS DOUBLE) AS pi_{offer}" for offer in offers)
    rows = {}
    for table, query in {**TABLES, "net_of_rewards": NET_LOG.format(policies=policies)}.items():
        target = str(out / f"{table}.parquet").replace("'", "''")
        rows[table] = connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)").fetchall()[0][0]
    return rows


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python examples/starbucks_offers.py SRC OUT")
    for written, count in convert(Path(sys.argv[1]), Path(sys.argv[2])).items():
        print(f"{written:<14} {count:>7,} rows")
