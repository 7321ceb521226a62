"""Every figure the simulated world rests on; ``docs/simulation.md`` names its source, or says that it is assumed.

The figures are chosen so that the *results* (roll and recovery rates, response rates) come out near the published ones;
``python -m simulation.figures DIR`` prints them for a data directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

END = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""The moment at which the data end: nothing recorded at or after it is in the tables, and the truth holds for it."""
WEEKS = 156
LOGGED_WEEKS = 52
"""Decisions are logged in the last year only; before that the same ladder acted without keeping a log."""
RUNS_BUDGET = 240_000
"""Simulated futures per account are this over the number of accounts, between 2 and 32."""

EXPLORED = 0.10
"""Share of decisions drawn uniformly from the eligible actions."""
EXECUTED = (0.74, 0.90)
"""Share of decided contacts that are carried out, by channel from the most to the least manual."""

FALLS = 0.0035
"""Chance a week that a debtor falls into hardship."""
DRIFT_CHANNEL, DRIFT_REACH, DRIFT_FALLS = "whatsapp", 0.12, 0.25
"""How the world changes in each round where drift is asked for, at strength 1: what the reach of a channel loses, in
log-odds, and by which share of ``FALLS`` hardship becomes more frequent. Assumed; the history knows no drift."""

# IBGE, Censo 2022: resident population by state, in thousands.
POPULATION = {
    "SP": 44411, "MG": 20540, "RJ": 16055, "BA": 14142, "PR": 11444, "RS": 10883, "PE": 9059, "CE": 8794,
    "PA": 8121, "SC": 7610, "GO": 7056, "MA": 6777, "PB": 3975, "AM": 3942, "ES": 3834, "MT": 3659, "RN": 3303,
    "PI": 3271, "AL": 3128, "DF": 2817, "MS": 2757, "SE": 2210, "RO": 1581, "TO": 1511, "AC": 830, "AP": 734,
    "RR": 637,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    """A line of business: its share of accounts, bills, charges, and when its creditor tells the bureau."""

    name: str
    creditor: str
    share: float
    median_bill: float
    spread: float
    varies: float
    term: tuple[int, int]
    lists_from: int


# Shares lean on Serasa's map of arrears by segment; amounts are assumed (docs/simulation.md).
PRODUCTS = (
    Product("personal_loan", "banco", 0.22, 310.0, 0.55, 0.0, (12, 36), 30),
    Product("credit_card", "cartao", 0.20, 420.0, 0.70, 0.25, (60, 60), 30),
    Product("utility", "energia", 0.22, 165.0, 0.45, 0.18, (60, 60), 45),
    Product("store_card", "varejo", 0.16, 190.0, 0.50, 0.10, (10, 36), 35),
    Product("telecom", "operadora", 0.14, 98.0, 0.35, 0.04, (60, 60), 50),
    Product("tuition", "faculdade", 0.06, 640.0, 0.40, 0.0, (12, 48), 60),
)
PENALTY_BP = 200  # CDC art. 52 §1: at most 2 % for late payment
INTEREST_BP = 100  # 1 % a month, Código Civil art. 406 with CTN art. 161 §1

EMPLOYMENT = ("formal", "informal", "self_employed", "retired", "public", "unemployed")
EMPLOYMENT_SHARE = (0.38, 0.22, 0.19, 0.10, 0.06, 0.05)
EMPLOYMENT_INCOME = (2900.0, 1700.0, 2200.0, 1900.0, 5200.0, 900.0)
EMPLOYMENT_ABLE = (0.45, -0.45, -0.15, 0.30, 0.75, -1.25)

SHARING = 0.10
"""Share of debtors that hold several accounts."""
SUSPENDED_FROM = 75
"""Days past due from which no further bill is issued."""
ASSIGNED_FROM = 540
"""Days past due from which a debt may be sold (cessão)."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a channel works: base log-odds of reaching the debtor, how far it moves him, and what it costs in patience.

    ``promising`` is the log-odds that a debtor who was reached promises; ``style`` the form of its funnel:
    ``text`` (delivered, read, clicked), ``call`` (answered, right party) or ``visit`` (portal).
    """

    reach: float
    push: float
    promising: float
    tires: float
    executed: float
    style: str
    spread: float


VOICES = {
    "sms": Voice(-0.55, 0.45, -4.0, 0.30, 0.88, "text", 0.9),
    "email": Voice(-1.25, 0.40, -4.5, 0.15, 0.88, "text", 1.1),
    "whatsapp": Voice(0.35, 0.65, -2.2, 0.45, 0.86, "text", 1.1),
    "voice_bot": Voice(-1.35, 0.55, -1.6, 0.55, 0.82, "call", 0.9),
    "chatbot": Voice(-0.50, 0.60, -1.9, 0.30, 0.85, "text", 1.1),
    "portal": Voice(-2.10, 0.50, -3.0, 0.05, 0.88, "visit", 1.2),
    "agent_call": Voice(-0.85, 1.15, -0.5, 0.80, 0.72, "call", 0.8),
    "letter": Voice(-0.30, 0.45, -6.0, 0.30, 0.78, "post", 0.5),
}
OTHER_VOICE = Voice(-0.8, 0.5, -3.0, 0.40, 0.85, "text", 0.9)
"""A channel of the catalogue that the simulator does not know by name."""
