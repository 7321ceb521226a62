"""Who owes: debtors with latent traits, and the accounts that they hold, drawn from assumed and published shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from domain.actions import ActionCatalogue
from domain.clock import US_PER_DAY, to_us, zone_of
from simulation import assumptions
from simulation.states import MAX_CHANNELS, TRAITS
from simulation.stress import NO_STRESS, Stress

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Accounts and debtors as drawn; ``traits`` is (n,) of ``states.TRAITS``, everything else (n,) beside it.

    ``region``, ``employment`` and ``product`` are positions in the lists of ``assumptions``; ``income`` is monthly, in
    currency units, missing (NaN) for one account in twelve; ``opened_us`` may lie before the history begins.
    """

    traits: npt.NDArray[np.void]
    debtor: Ints
    region: Ints
    employment: Ints
    product: Ints
    income: Floats
    birth_year: Ints
    opened_us: Ints


@dataclass(frozen=True, slots=True)
class _People:
    able: Floats
    will: Floats
    forget: Floats
    bargain: Floats
    tiring: Floats
    complaining: Floats
    affinity: Floats
    region: Ints
    employment: Ints
    income: Floats
    birth_year: Ints
    salary_dom: Ints
    moment: Ints
    key: npt.NDArray[np.uint64]
    phase: Ints


def draw_portfolio(
    accounts: int, *, catalogue: ActionCatalogue, rng: np.random.Generator, stress: Stress = NO_STRESS
) -> Portfolio:
    """Draw so many accounts and the debtors that hold them.

    Notes
    -----
    Willingness and the reach of every channel are correlated: who avoids paying avoids the phone. ``stress`` may tie
    them closer, or apart.
    """
    debtor = _holders(accounts, rng)
    people = _draw_people(int(debtor[-1]) + 1, catalogue, rng, tie=stress.tie_reach)
    product = rng.choice(len(assumptions.PRODUCTS), size=accounts, p=[p.share for p in assumptions.PRODUCTS])
    end_us = to_us(assumptions.END)
    begin_us = end_us - (7 * assumptions.WEEKS) * US_PER_DAY
    opened_us = _openings(accounts, begin_us, rng)
    traits = _traits_of(people, debtor, catalogue)
    _add_bills(traits, product, rng)
    begin_day = np.maximum(opened_us, begin_us) // US_PER_DAY + 1
    traits["start_day"] = begin_day
    traits["key"] = rng.integers(0, 2**63, size=accounts).astype(np.uint64)
    income = np.round(people.income[debtor], 2)
    income[rng.random(accounts) < 1 / 12] = np.nan
    return Portfolio(
        traits=traits,
        debtor=debtor,
        region=people.region[debtor],
        employment=people.employment[debtor],
        product=product.astype(np.int64),
        income=income,
        birth_year=people.birth_year[debtor],
        opened_us=opened_us,
    )


def _holders(accounts: int, rng: np.random.Generator) -> Ints:
    """The debtor of each account, ascending: most hold one, a tenth two to four."""
    sizes = np.where(rng.random(accounts) < assumptions.SHARING, rng.integers(2, 5, size=accounts), 1)
    return np.repeat(np.arange(accounts), sizes)[:accounts]


def _openings(accounts: int, begin_us: int, rng: np.random.Generator) -> Ints:
    """Two thirds of the accounts are older than the history; the rest open during its first two years."""
    older = rng.random(accounts) < 0.66
    days = np.where(older, -rng.exponential(900.0, size=accounts), rng.uniform(0.0, 760.0, size=accounts))
    return (begin_us + np.maximum(days, -5_000.0) * US_PER_DAY).astype(np.int64)


def _draw_people(n: int, catalogue: ActionCatalogue, rng: np.random.Generator, *, tie: float | None) -> _People:
    states = np.array(list(assumptions.POPULATION.values()), dtype=np.float64)
    employment = rng.choice(len(assumptions.EMPLOYMENT), size=n, p=assumptions.EMPLOYMENT_SHARE)
    income = np.take(assumptions.EMPLOYMENT_INCOME, employment) * np.exp(rng.normal(0.0, 0.45, size=n))
    common = rng.normal(size=n)
    willing = 0.35 * common + np.sqrt(1 - 0.35**2) * rng.normal(size=n)
    able = 0.75 + np.take(assumptions.EMPLOYMENT_ABLE, employment) + 1.45 * common
    return _People(
        able=able,
        will=-0.45 + 1.45 * willing,
        forget=rng.beta(0.8, 7.0, size=n),
        bargain=rng.gamma(2.0, 0.5, size=n).clip(0.0, 3.0),
        tiring=rng.gamma(3.0, 1 / 3.0, size=n).clip(0.1, 3.0),
        complaining=rng.gamma(0.6, 1 / 0.6, size=n).clip(0.0, 12.0),
        affinity=_affinities(willing, employment, catalogue, rng, tie=tie),
        region=rng.choice(len(states), size=n, p=states / states.sum()),
        employment=employment,
        income=income,
        birth_year=2026 - _ages(employment, rng),
        salary_dom=rng.choice([1, 5, 7, 10, 15, 20, 25], size=n, p=[0.12, 0.34, 0.14, 0.14, 0.10, 0.10, 0.06]),
        moment=rng.choice(len(catalogue.config.moments), size=n),
        key=rng.integers(0, 2**63, size=n).astype(np.uint64),
        phase=rng.integers(1, 8, size=n),
    )


def _ages(employment: Ints, rng: np.random.Generator) -> Ints:
    """Ages with the shape of Serasa's map of arrears; the retired are older."""
    retired = assumptions.EMPLOYMENT.index("retired")
    ages = np.where(employment == retired, rng.normal(68.0, 7.0, size=len(employment)), 0.0)
    working = 18.0 + 50.0 * rng.beta(1.7, 2.3, size=len(employment))
    return np.rint(np.where(employment == retired, ages, working)).astype(np.int64).clip(18, 92)


def _affinities(
    willing: Floats, employment: Ints, catalogue: ActionCatalogue, rng: np.random.Generator, *, tie: float | None
) -> Floats:
    """Log-odds that a person adds to the reach of each channel, (n, MAX_CHANNELS); ``willing`` is standard normal."""
    affinity = np.zeros((len(willing), MAX_CHANNELS))
    digital = rng.normal(size=len(willing))
    retired = assumptions.EMPLOYMENT.index("retired")
    for c, name in enumerate(catalogue.channels):
        voice = assumptions.VOICES.get(name, assumptions.OTHER_VOICE)
        own = rng.normal(size=len(willing))
        will, tilt, rest = _weights(voice.style, tie)
        affinity[:, c] = voice.spread * (will * willing + tilt * digital + rest * own)
        affinity[employment == retired, c] += 0.35 if voice.style in ("call", "post") else -0.35
    return affinity


def _weights(style: str, tie: float | None) -> tuple[float, float, float]:
    """What willingness, a taste for the digital and the channel itself weigh in the affinity of a channel.

    With a tie, willingness is given the weight of that correlation. The others keep their proportion and the whole its
    variance, so that a tie changes whom a channel reaches and not how far debtors differ in reach.
    """
    will, tilt, own = 0.40, {"text": 0.45, "visit": 0.55, "call": -0.25, "post": -0.35}[style], 0.70
    if tie is None:
        return will, tilt, own
    apart = math.hypot(tilt, own)
    size = math.hypot(will, apart)
    shrunk = math.sqrt(1.0 - tie**2) * size / apart
    return tie * size, tilt * shrunk, own * shrunk


def _traits_of(people: _People, debtor: Ints, catalogue: ActionCatalogue) -> npt.NDArray[np.void]:
    traits = np.zeros(len(debtor), dtype=TRAITS)
    traits["account"] = np.arange(len(debtor))
    traits["debtor_key"] = people.key[debtor]
    for name in (
        "able",
        "will",
        "forget",
        "bargain",
        "tiring",
        "complaining",
        "affinity",
        "moment",
        "salary_dom",
        "phase",
    ):
        traits[name] = getattr(people, name)[debtor]
    traits["income_cents"] = np.rint(people.income[debtor] * 100).astype(np.int64)
    offsets = np.array([_offset_hours(state) for state in assumptions.POPULATION])
    traits["offset_h"] = offsets[people.region[debtor]]
    traits["consents"], traits["invalid"] = _contact_points(people, catalogue)[:, debtor]
    traits["portal"] = 0.04 / (1.0 + np.exp(-(people.affinity[debtor, 0] + 0.3 * people.able[debtor])))
    return traits


def _offset_hours(state: str) -> int:
    """Hours from UTC; Brazil has had no daylight saving time since 2019."""
    zone = zone_of(f"BR-{state}") or "America/Sao_Paulo"
    offset = datetime(2024, 1, 15, 12, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return round(offset.total_seconds() / 3_600) if offset else -3


def _contact_points(people: _People, catalogue: ActionCatalogue) -> Ints:
    """Bit masks over channels: consents given at the start, and contact points that do not work, (2, debtors).

    Channels that share a contact point share its fate; both are drawn from the debtor's own key.
    """
    masks = np.zeros((2, len(people.key)), dtype=np.int64)
    draws = np.random.Generator(np.random.PCG64(int(people.key[0])))
    broken = {kind: draws.random(len(people.key)) for kind in ("phone", "whatsapp", "email", "address", "none")}
    shares = {"phone": 0.09, "whatsapp": 0.06, "email": 0.14, "address": 0.10, "none": 0.0}
    agreed = draws.random(len(people.key)) < 0.62
    for c, channel in enumerate(catalogue.config.channels.values()):
        point = channel.needs_contact_data
        masks[1] |= (broken[point] < shares[point]).astype(np.int64) << c
        if channel.needs_consent:
            masks[0] |= (agreed & (draws.random(len(people.key)) < 0.95)).astype(np.int64) << c
    return masks


def _add_bills(traits: npt.NDArray[np.void], product: Ints, rng: np.random.Generator) -> None:
    """Amounts, terms, due days and charges by product, in place."""
    n = len(product)
    traits["penalty_bp"], traits["interest_bp"] = assumptions.PENALTY_BP, assumptions.INTEREST_BP
    traits["due_dom"] = rng.choice(
        [5, 8, 10, 12, 15, 20, 25, 28], size=n, p=[0.2, 0.1, 0.25, 0.08, 0.15, 0.12, 0.06, 0.04]
    )
    traits["method"] = rng.choice(4, size=n, p=[0.42, 0.38, 0.08, 0.12])
    size = rng.normal(size=n)
    term = rng.random(n)
    for number, line in enumerate(assumptions.PRODUCTS):
        rows = product == number
        money = line.median_bill * np.exp(line.spread * size[rows])
        traits["bill_cents"][rows] = np.rint(money * 100).astype(np.int64).clip(2_500, 1_000_000)
        low, high = line.term
        traits["bills"][rows] = low + np.floor(term[rows] * (high - low + 1)).astype(np.int64)
        traits["varies"][rows], traits["lists_from"][rows] = line.varies, line.lists_from
