"""The logging policy: a fixed ladder by days past due (régua), with a share of exploration over what is eligible."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from domain.actions import Action, ActionCatalogue
from domain.errors import ConfigError
from simulation import assumptions
from simulation.parts import part
from simulation.states import MAX_CHANNELS
from simulation.stress import NO_STRESS, Stress

# (days past due from, first choice, what to do where that is not allowed). Each rung is tried in order; last, wait.
RUNGS = (
    (-400, "wait/none/any"),
    (-7, "email/none/morning", "sms/none/morning"),
    (1, "sms/none/morning", "email/none/morning"),
    (8, "whatsapp/none/afternoon", "sms/none/afternoon", "email/none/morning"),
    (15, "voice_bot/none/morning", "sms/none/morning"),
    (22, "whatsapp/inst3/afternoon", "sms/inst3/afternoon"),
    (30, "agent_call/none/afternoon", "email/none/afternoon"),
    (37, "sms/inst3/evening", "email/inst3/morning"),
    (45, "agent_call/inst3/morning", "email/inst3/morning"),
    (60, "whatsapp/inst3/evening", "sms/inst3/evening"),
    (75, "agent_call/none/afternoon", "email/none/morning"),
    (90, "letter/disc10/afternoon", "email/disc10/morning"),
    (120, "agent_call/disc10/morning", "sms/disc10/morning"),
    (150, "whatsapp/inst6/afternoon", "sms/inst6/afternoon"),
    (180, "sms/disc25/morning", "email/disc25/morning"),
    (270, "email/disc25/morning", "letter/disc25/afternoon"),
)


MAX_ACTIONS, MAX_OFFERS, MAX_MOMENTS, MAX_MONTHS = 1_024, 64, 16, 96
_A, _C, _O, _R = (MAX_ACTIONS,), (MAX_CHANNELS,), (MAX_OFFERS,), len(RUNGS)
PLAYBOOK = np.dtype(
    [
        *((name, np.int64) for name in ("n_actions", "n_channels", "n_offers", "n_rungs", "n_months", "hidden")),
        *((name, np.int64, _A) for name in ("channel", "offer", "moment", "gated")),
        *((name, np.float64, _C) for name in ("reach", "push", "promising", "tires", "executed", "intrusive", "cost")),
        *((name, np.int64, _C) for name in ("style", "needs_consent")),
        *((name, np.int64, _O) for name in ("kind", "parts", "min_dpd", "max_dpd", "floor_cents", "valid_days")),
        *((name, np.float64, _O) for name in ("pct", "offer_cost")),
        ("falls", np.float64),
        ("hours", np.int64, (MAX_MOMENTS, 2)),
        ("rung_from", np.int64, (_R,)),
        ("rungs", np.int64, (_R, 4)),
        ("months", np.int64, (MAX_MONTHS,)),
    ]
)
"""The catalogue and the ladder as one record: arrays by action, channel, offer, moment, rung, filled from the left."""


TEXT, CALL, VISIT, POST = 0, 1, 2, 3
STYLES = {"text": TEXT, "call": CALL, "visit": VISIT, "post": POST}
NONE, DISCOUNT, INSTALMENTS, INCENTIVE = 0, 1, 2, 3
KINDS = {"none": NONE, "discount": DISCOUNT, "instalments": INSTALMENTS, "incentive": INCENTIVE}


def playbook_of(catalogue: ActionCatalogue, *, stress: Stress = NO_STRESS) -> npt.NDArray[np.void]:
    """The playbook of a catalogue, (1,); channels that the simulator does not know by name behave as ``OTHER_VOICE``.

    Raises
    ------
    ConfigError : more channels, offers, moments or actions than the simulator can hold
    """
    config, actions = catalogue.config, catalogue.actions
    sizes = {"channels": (len(config.channels), MAX_CHANNELS), "offers": (len(config.offers), MAX_OFFERS)}
    sizes |= {"moments": (len(config.moments), MAX_MOMENTS), "actions": (len(actions), MAX_ACTIONS)}
    for what, (found, room) in sizes.items():
        if found > room:
            raise ConfigError(f"actions.yaml: found {found} {what}, the simulator holds {room}; name fewer")
    book = np.zeros(1, dtype=PLAYBOOK)
    months = np.arange("2022-01", "2029-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    _fill_actions(book[0], catalogue)
    _fill_channels(book[0], catalogue)
    _fill_offers(book[0], catalogue)
    book["rung_from"], book["n_rungs"] = [rung[0] for rung in RUNGS], len(RUNGS)
    book["rungs"] = [_choices(rung[1:], actions) for rung in RUNGS]
    book["months"][0, : len(months)], book["n_months"] = months, len(months)
    book["falls"], book["hidden"] = assumptions.FALLS, stress.hidden_ladder
    return book


def _fill_actions(book: Any, catalogue: ActionCatalogue) -> None:
    config, contacts = catalogue.config, catalogue.actions[1:]
    channels, offers, moments = list(config.channels), list(config.offers), list(config.moments)
    n = len(contacts) + 1
    book["n_actions"] = n
    book["channel"][:n] = [-1, *(channels.index(a.channel) for a in contacts)]
    book["offer"][:n] = [-1, *(offers.index(a.offer) for a in contacts)]
    book["moment"][:n] = [-1, *(moments.index(a.moment) for a in contacts)]
    book["gated"][:n] = [a.gated for a in catalogue.actions]
    book["hours"][: len(moments)] = [m.hours for m in config.moments.values()]


def _fill_channels(book: Any, catalogue: ActionCatalogue) -> None:
    channels = catalogue.config.channels
    voices = [assumptions.VOICES.get(name, assumptions.OTHER_VOICE) for name in channels]
    n = len(channels)
    book["n_channels"] = n
    for name in ("reach", "push", "promising", "tires", "executed"):
        book[name][:n] = [getattr(voice, name) for voice in voices]
    book["style"][:n] = [STYLES[voice.style] for voice in voices]
    book["intrusive"][:n] = [c.intrusiveness for c in channels.values()]
    book["cost"][:n] = [c.unit_cost for c in channels.values()]
    book["needs_consent"][:n] = [c.needs_consent for c in channels.values()]


def _fill_offers(book: Any, catalogue: ActionCatalogue) -> None:
    offers = catalogue.config.offers.values()
    n = len(offers)
    book["n_offers"] = n
    book["kind"][:n] = [KINDS[o.kind] for o in offers]
    book["pct"][:n] = [o.discount_pct / 100.0 for o in offers]
    book["parts"][:n] = [o.instalments for o in offers]
    book["min_dpd"][:n] = [-10_000 if o.min_days_past_due is None else o.min_days_past_due for o in offers]
    book["max_dpd"][:n] = [100_000 if o.max_days_past_due is None else o.max_days_past_due for o in offers]
    book["floor_cents"][:n] = [round((o.floor_amount or 0.0) * 100) for o in offers]
    book["valid_days"][:n] = [o.valid_days for o in offers]
    book["offer_cost"][:n] = [o.unit_cost for o in offers]


def _choices(names: tuple[str, ...], actions: tuple[Action, ...]) -> list[int]:
    """Positions of a rung's choices; one that the catalogue lacks becomes the nearest action of its channel."""
    found = [_nearest(name, actions) for name in names]
    return [*found, *[0] * (4 - len(found))]


def _nearest(name: str, actions: tuple[Action, ...]) -> int:
    channel, offer, moment = name.split("/")
    ranked = sorted(
        (-(a.offer == offer) * 2 - (a.moment == moment) - (a.offer_kind == "none") * 0.5, position)
        for position, a in enumerate(actions)
        if a.channel == channel and not a.gated
    )
    return ranked[0][1] if ranked else 0


@part
def channel_open(it: Any, book: Any, c: int) -> bool:
    """Whether a channel may be used: consent where it is needed, and neither an opt-out nor a contact known invalid."""
    if it.off >> c & 1:
        return False
    return book.needs_consent[c] == 0 or bool(it.granted >> c & 1)


@part
def offer_open(book: Any, o: int, dpd: int, due_cents: int) -> bool:
    """Whether an offer may be made at these days past due and this amount due."""
    return bool(book.min_dpd[o] <= dpd <= book.max_dpd[o] and due_cents >= book.floor_cents[o])


@part
def allowed(it: Any, book: Any, seen: tuple[int, int, int]) -> bool:
    """Whether an action may be chosen; ``seen`` is (action, days past due, amount due in cents)."""
    action, dpd, cents = seen
    if action == 0:
        return True
    if book.gated[action] or not channel_open(it, book, book.channel[action]):
        return False
    return offer_open(book, book.offer[action], dpd, cents)


@part
def ladder_action(it: Any, book: Any, known: tuple[int, int]) -> int:
    """What the ladder does at (days past due, amount due in cents); under stress it waits where there is hardship."""
    if book.hidden and it.hardship > 0:
        return 0
    rung = 0
    while rung + 1 < book.n_rungs and known[0] >= book.rung_from[rung + 1]:
        rung += 1
    for k in range(4):
        choice = book.rungs[rung, k]
        if choice > 0 and allowed(it, book, (choice, known[0], known[1])):
            return int(choice)
    return 0


@part
def eligible_count(it: Any, book: Any, known: tuple[int, int]) -> int:
    """How many actions may be chosen, ``wait`` among them."""
    count = 0
    for action in range(book.n_actions):
        count += 1 if allowed(it, book, (action, known[0], known[1])) else 0
    return count


@part
def explored_action(it: Any, book: Any, pick: tuple[int, int, int]) -> int:
    """The ``pick[0]``-th eligible action at (days past due, amount due) ``pick[1:]``."""
    left = pick[0]
    for action in range(book.n_actions):
        if allowed(it, book, (action, pick[1], pick[2])):
            if left == 0:
                return action
            left -= 1
    return 0


@part
def spacing(dpd: int) -> int:
    """Days from one decision to the next: weekly in the first month, then ever more rarely."""
    return 7 if dpd <= 30 else (14 if dpd <= 180 else (28 if dpd <= 360 else 56))
