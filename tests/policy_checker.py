"""Contact law read a second time: plain Python, row by row, from the wording of the rules and not from their code.

It knows nothing of packs, actions or arrays. A history is lists of plain rows; a contact is a channel, an offer and a
moment; the answer is every rule that the contact would break. ``decided`` is when it was decided on: nothing that
happened or was recorded at or after it is known. ``at`` is when it is made, on that day or later.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import holidays

Row = dict[str, Any]
DAY = timedelta(days=1)
INBOUND = {"portal"}
NATIONAL = {country: {None: holidays.country_holidays(country, years=range(2010, 2031))} for country in ("BR", "US")}
CALLS_BR = {"agent_call", "voice_bot", "sms", "whatsapp"}
CALLS_US = {"agent_call", "voice_bot"}
ALIVE = {"delivered", "read", "clicked", "replied", "answered", "right_party"}
LGPD, INDEBTED, DECREE, COMPLAINTS = date(2020, 9, 18), date(2021, 7, 2), date(2022, 9, 26), date(2022, 10, 3)
REG_F = date(2021, 11, 30)
"""Days on which laws came into force; before them they bound nobody."""
PRESSURE = {
    "sms": 4, "email": 2, "whatsapp": 6, "voice_bot": 7, "chatbot": 3, "portal": 1, "agent_call": 10, "letter": 5,
    "protest": 10,
}  # fmt: skip
"""How much each channel presses, in tenths."""
MOST_PRESSURE, SOFT = 60, 6
DISTRESS = {"hardship", "vulnerable", "over_indebted"}
SAID_IN_DISTRESS = {"unemployment", "income_drop", "illness"}
LISTED = {sha256(b"example-listed").hexdigest()}


class History:
    """One debtor's accounts, by id, with the rows of every table; times are aware datetimes."""

    def __init__(self, accounts: dict[str, Row], rows: dict[str, list[Row]]) -> None:
        self.accounts = accounts
        self.rows = rows
        self._seen: dict[tuple[str, datetime, str | None], list[Row]] = {}

    def known(self, table: str, decided: datetime, *, account: str | None = None) -> list[Row]:
        """Rows that had happened and were recorded, oldest first; of one account, or of all."""
        key = table, decided, account
        if key not in self._seen:
            rows = [
                row
                for row in self.rows.get(table, ())
                if row["occurred_at"] < decided
                and row["recorded_at"] < decided
                and (account is None or row["account_id"] == account)
            ]
            self._seen[key] = sorted(rows, key=lambda row: (row["occurred_at"], row["recorded_at"]))
        return self._seen[key]


class Contact:
    """What is about to be done: to an account, on a channel, with an offer."""

    def __init__(self, account: str, channel: str, offer: Row) -> None:
        self.account, self.channel, self.offer = account, channel, offer


def local(at: datetime, zone: str) -> datetime:
    """The wall clock of the debtor."""
    return at.astimezone(ZoneInfo(zone))


def violations(history: History, contact: Contact, law: str, *, decided: datetime, at: datetime) -> list[str]:
    """Names of the rules that the contact would break; empty where it is lawful."""
    zone = history.accounts[contact.account]["zone"]
    if zone is None:
        return ["nobody knows what time it is there"]
    found = [*_always(history, contact, zone, decided, at)]
    if law == "br":
        found += _brazil(history, contact, zone, decided, at)
    if law == "us_reg_f":
        found += _regulation_f(history, contact, zone, decided, at)
    return found


# --- what holds everywhere -------------------------------------------------------------------------------------------


def open_debts(history: History, account: str, decided: datetime) -> list[tuple[Row, int]]:
    """Debts that payments known by then have not covered, with what is left of each, oldest due first."""
    paid: dict[str, int] = {}
    for row in history.known("payments", decided, account=account):
        paid[row["debt_id"]] = paid.get(row["debt_id"], 0) + row["amount"]
    debts = sorted(history.known("debts", decided, account=account), key=lambda row: row["due_on"])
    left = [(row, row["amount"] - paid.get(row["debt_id"], 0)) for row in debts]
    return [(row, cents) for row, cents in left if cents > 0]


def _always(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> list[str]:
    found = []
    debts = open_debts(history, contact.account, decided)
    if not debts:
        return ["nothing is owed any more"]
    word = consent(history, contact, decided, at)
    if word in ("revoked", "invalid"):
        found.append("the debtor took consent back, or nobody is there")
    if contact.channel in ("whatsapp", "chatbot") and word != "granted":
        found.append("no consent to the channel")
    if contact.channel == "protest" and not approved(history, contact, decided, at):
        found.append("a protest nobody approved")
    today = local(at, zone).date()
    late = (today - date.fromordinal(debts[0][0]["due_on"])).days
    if contact.offer.get("min_days_past_due") is not None and late < contact.offer["min_days_past_due"]:
        found.append("the offer is not open yet")
    due = amount_due(debts, local(decided, zone).date())
    if due < 100 * contact.offer.get("floor_amount", 0):
        found.append("the offer is below its floor")
    return found


def amount_due(debts: list[tuple[Row, int]], today: date) -> int:
    """What is past due, or everything where nothing is."""
    overdue = sum(left for row, left in debts if date.fromordinal(row["due_on"]) < today)
    return overdue or sum(left for _, left in debts)


def consent(history: History, contact: Contact, decided: datetime, at: datetime) -> str | None:
    """The latest word on the channel: granted (unless it has expired), revoked, invalid, or none."""
    words = [r for r in history.known("consents", decided, account=contact.account) if r["channel"] == contact.channel]
    if not words:
        return None
    last = words[-1]
    expired = last["status"] == "granted" and last["expires_at"] is not None and last["expires_at"] <= at
    return None if expired else str(last["status"])


def approved(history: History, contact: Contact, decided: datetime, at: datetime) -> bool:
    """Whether a protest of the account was approved, and the approval has not run out."""
    found = history.known("approvals", decided, account=contact.account)
    return any(
        row["action"].startswith("protest/") and (row["expires_at"] is None or at < row["expires_at"]) for row in found
    )


# --- pieces that both laws share -------------------------------------------------------------------------------------


def on_hold(history: History, contact: Contact, decided: datetime, kinds: set[str]) -> bool:
    """Whether a hold of the account, or of the debtor as a whole, has not been lifted."""
    return any(
        row["kind"] in kinds
        and (row["account_id"] == contact.account or row["scope"] == "debtor")
        and not (row["released_at"] is not None and row["released_at"] < decided)
        for row in history.known("holds", decided)
    )


def promised(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> bool:
    """Whether the debtor undertook to pay by a day that is not over, and neither kept nor broke it."""
    today = local(at, zone).date()
    for row in history.known("promises", decided, account=contact.account):
        settled = row["outcome"] is not None and row["resolved_at"] < decided
        last = date.fromordinal(row["due_on"])
        if row["kind"] == "agreement":
            last += timedelta(days=31 * (row["instalments"] - 1))
        if not settled and today <= last:
            return True
    return False


def channel_of(history: History, row: Row, decided: datetime) -> str | None:
    """The channel that a response names, or that of the contact it answers."""
    if row["channel"] is not None:
        return str(row["channel"])
    answered = [c for c in history.known("contacts", decided) if c["contact_id"] == row["contact_id"]]
    return str(answered[-1]["channel"]) if answered else None


def opted_out(history: History, contact: Contact, decided: datetime) -> bool:
    """Whether the debtor asked, on any account, for no contact on the channel or at all, and did not consent since."""
    asked = [
        row["occurred_at"]
        for row in history.known("responses", decided)
        if row["kind"] in ("opted_out", "blocked") and channel_of(history, row, decided) in (contact.channel, None)
    ]
    return bool(asked) and max(asked) >= last_consent(history, contact, decided)


def nobody_there(history: History, contact: Contact, decided: datetime) -> bool:
    """Whether the last thing heard from the channel is that somebody else answered, or that it came back."""
    said = [
        (row["occurred_at"], row["kind"], channel_of(history, row, decided))
        for row in history.known("responses", decided, account=contact.account)
    ]
    dead = [
        when
        for when, kind, channel in said
        if kind in ("bounced", "wrong_party") and channel in (contact.channel, None)
    ]
    alive = [when for when, kind, channel in said if kind in ALIVE and channel == contact.channel]
    return bool(dead) and max(dead) >= max([last_consent(history, contact, decided), *alive])


def last_consent(history: History, contact: Contact, decided: datetime) -> datetime:
    """When the debtor last consented to the channel, be it revoked since or not."""
    given = [
        row["occurred_at"]
        for row in history.known("consents", decided, account=contact.account)
        if row["channel"] == contact.channel and row["status"] == "granted"
    ]
    return max(given, default=datetime.min.replace(tzinfo=decided.tzinfo))


def contacted_on(history: History, zone: str, decided: datetime, day: date) -> bool:
    """Whether anything was sent to the debtor on a day, on any account."""
    return any(
        row["channel"] not in INBOUND and local(row["occurred_at"], zone).date() == day
        for row in history.known("contacts", decided)
    )


def pressed_too_much(history: History, contact: Contact, decided: datetime, at: datetime) -> bool:
    """Whether the debtor would carry more than six units of pressure from thirty days, on all accounts together."""
    carried = sum(
        PRESSURE[row["channel"]]
        for row in history.known("contacts", decided)
        if row["channel"] not in INBOUND and row["occurred_at"] > at - 30 * DAY
    )
    return contact.channel not in INBOUND and carried + PRESSURE[contact.channel] > MOST_PRESSURE


def in_distress(history: History, contact: Contact, decided: datetime, at: datetime) -> bool:
    """Whether the debtor is protected, or said in the last ninety days that the money is not there."""
    said = [row for row in history.known("responses", decided) if row.get("reason") in SAID_IN_DISTRESS]
    return on_hold(history, contact, decided, DISTRESS) or any(row["occurred_at"] > at - 90 * DAY for row in said)


def presses(contact: Contact) -> bool:
    """Whether a contact is harder than a WhatsApp message; a protest needs an approval, and is that as well."""
    return PRESSURE[contact.channel] > SOFT


# --- Brazil ----------------------------------------------------------------------------------------------------------


def _brazil(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> list[str]:
    here, today = local(at, zone), local(at, zone).date()
    debts = open_debts(history, contact.account, decided)
    holds = {"dispute", "bankruptcy", "deceased", "attorney", "legal", "fraud"}
    if today >= INDEBTED:
        holds |= {"hardship", "vulnerable", "over_indebted"}
    found = ["on hold"] if on_hold(history, contact, decided, holds) else []
    if promised(history, contact, zone, decided, at):
        found.append("CDC 42: within the term of a promise")
    if contact.channel not in INBOUND:
        found += _pressing(history, contact, zone, decided, at)
        if any(years_after(date.fromordinal(row["due_on"]), 5) <= today for row, _ in debts):
            found.append("CC 206: barred after five years")
    region = history.accounts[contact.account]["region"]
    if contact.channel in CALLS_BR:
        if not open_in_brazil(region, here):
            found.append("outside the hours of the state")
        if region in ("BR-SP", "BR", None) and listed(history, contact, decided):
            found.append("SP: on the list Não Me Ligue")
    if contact.channel == "protest" and any(today < date.fromordinal(r["due_on"]) + 30 * DAY for r, _ in debts):
        found.append("a protest within thirty days")
    if today >= INDEBTED and presses(contact) and in_distress(history, contact, decided, at):
        found.append("CDC 39 IV: pressing who is in distress")
    if pressed_too_much(history, contact, decided, at):
        found.append("CDC 71: too much pressure in thirty days")
    if today >= DECREE and too_dear(history, contact, zone, decided, at):
        found.append("Lei 14.181: the plan leaves too little")
    return found


def _pressing(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> list[str]:
    """What is said of contact that is made, and not waited for."""
    found, today = [], local(at, zone).date()
    if today >= LGPD and opted_out(history, contact, decided):
        found.append("LGPD 18: the debtor objected")
    if today >= LGPD and nobody_there(history, contact, decided):
        found.append("LGPD 6 V: somebody else is there")
    if contacted_on(history, zone, decided, today):
        found.append("a second contact on one day")
    made = [row for row in history.known("contacts", decided) if row["channel"] not in INBOUND]
    if sum(row["occurred_at"] > at - 7 * DAY for row in made) >= 3:
        found.append("a fourth contact in seven days")
    complaints = [row for row in history.known("responses", decided) if row["kind"] in ("complained", "disputed")]
    if today >= COMPLAINTS and any(row["occurred_at"] > at - 7 * DAY for row in complaints):
        found.append("a complaint not yet answered")
    return found


def years_after(day: date, years: int) -> date:
    """The same date some years later; where there is none, the day after (CC 132 §3)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def open_in_brazil(region: str | None, here: datetime) -> bool:
    """Hours by state: SP and AL, and everywhere by default, 8–20 and 8–14 on Saturdays; RJ 9–19, ES and AM 8–19."""
    if here.weekday() == 6 or is_holiday("BR", region, here.date()):
        return False
    saturday = here.weekday() == 5
    known_state = region is not None and region.startswith("BR-")
    shut_on_saturday = not known_state or region in ("BR-RJ", "BR-ES", "BR-AM")
    if saturday:
        return not shut_on_saturday and 8 <= here.hour < 14
    first = 9 if not known_state or region == "BR-RJ" else 8
    last = 19 if shut_on_saturday else 20
    return first <= here.hour < last


def is_holiday(country: str, region: str | None, day: date) -> bool:
    """A holiday of the country or of the state; of any state, where it is not known which."""
    state = None if region is None else region.partition("-")[2] or None
    table = NATIONAL[country]
    states = [state] if state else [None, *holidays.list_supported_countries()[country]]
    for name in states:
        if name not in table:
            table[name] = holidays.country_holidays(country, subdiv=name, years=range(2010, 2031))
    return any(day in table[name] for name in states)


def listed(history: History, contact: Contact, decided: datetime) -> bool:
    """Whether a contact point of the channel is on the list."""
    used = [*history.known("contacts", decided), *history.known("consents", decided)]
    points = {row.get("contact_point_id") for row in used if row["channel"] == contact.channel}
    return any(point is not None and sha256(point.encode()).hexdigest() in LISTED for point in points)


def too_dear(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> bool:
    """Whether instalments take more than 30 % of the income, or leave less than the mínimo existencial of 600.00."""
    income = history.accounts[contact.account]["income"]
    parts = contact.offer.get("instalments", 1)
    if parts == 1:
        return False
    if income is None:
        # Who is known to be in distress is offered no plan before somebody knows what can be borne.
        return in_distress(history, contact, decided, at)
    debts = open_debts(history, contact.account, decided)
    instalment = round(amount_due(debts, local(decided, zone).date()) / parts)
    return bool(10 * instalment > 3 * 100 * income or instalment + 60_000 > 100 * income)


# --- Regulation F ----------------------------------------------------------------------------------------------------


def _regulation_f(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> list[str]:
    today = local(at, zone).date()
    found = ["within the term of a promise"] if promised(history, contact, zone, decided, at) else []
    if on_hold(history, contact, decided, {"bankruptcy"}):
        found.append("11 USC 362: automatic stay")
    automated = contact.channel in ("voice_bot", "sms", "whatsapp", "chatbot")
    if automated and consent(history, contact, decided, at) != "granted":
        found.append("64.1200(a)(1): no consent")
    return found + (_since_2021(history, contact, zone, decided, at) if today >= REG_F else [])


def _since_2021(history: History, contact: Contact, zone: str, decided: datetime, at: datetime) -> list[str]:
    found = []
    here, today = local(at, zone), local(at, zone).date()
    debts = open_debts(history, contact.account, decided)
    if on_hold(history, contact, decided, {"attorney", "dispute", "deceased", "fraud", "legal"}):
        found.append("on hold")
    if opted_out(history, contact, decided):
        found.append("1006.14(h), 1006.6(c): asked to leave the medium, or to cease")
    if contact.channel not in INBOUND and nobody_there(history, contact, decided):
        found.append("1006.6(d): somebody else is there")
    if contact.channel not in {"portal", "letter", "protest"} and not 8 <= here.hour < 21:
        found.append("1006.6(b)(1): an inconvenient hour")
    if contact.channel in CALLS_US:
        if any(calls_about(history, contact, row["debt_id"], zone, decided, today) >= 7 for row, _ in debts):
            found.append("1006.14(b)(2)(i)(A): seven calls in seven days")
        if spoke(history, contact, debts, zone, decided, today):
            found.append("1006.14(b)(2)(i)(B): within seven days of a conversation")
    barred = any(years_after(date.fromordinal(row["due_on"]), 3) <= today for row, _ in debts)
    if contact.channel == "protest" and barred:
        found.append("1006.26(b): time-barred")
    if contact.channel not in INBOUND and contacted_on(history, zone, decided, today):
        found.append("a second contact on one day")
    if pressed_too_much(history, contact, decided, at):
        found.append("1006.14(a): too much pressure in thirty days")
    if presses(contact) and in_distress(history, contact, decided, at):
        found.append("1006.14(a): pressing who is in distress")
    return found


def calls_about(history: History, contact: Contact, debt: str, zone: str, decided: datetime, today: date) -> int:
    """Calls about a debt on this day and the six before: connected, and not with consent of the last seven days."""
    missed = {r["contact_id"] for r in history.known("responses", decided) if r["kind"] == "bounced"}
    agreed = [r for r in history.known("consents", decided, account=contact.account) if r["status"] == "granted"]
    number = 0
    for call in history.known("contacts", decided, account=contact.account):
        about = call["channel"] in CALLS_US and call["debt_id"] in (debt, None) and call["contact_id"] not in missed
        when = call["occurred_at"]
        spared = any(
            row["channel"] == call["channel"] and row["occurred_at"] <= when < row["occurred_at"] + 7 * DAY
            for row in agreed
        )
        if about and not spared and today - 6 * DAY <= local(when, zone).date() <= today:
            number += 1
    return number


def spoke(
    history: History, contact: Contact, debts: list[tuple[Row, int]], zone: str, decided: datetime, today: date
) -> bool:
    """Whether there was a telephone conversation about one of the debts, its day being the first of seven."""
    about = {row["debt_id"] for row, _ in debts}
    for row in history.known("responses", decided, account=contact.account):
        if row["kind"] not in ("right_party", "inbound"):
            continue
        answered = [c for c in history.known("contacts", decided) if c["contact_id"] == row["contact_id"]]
        debt = answered[-1]["debt_id"] if answered else None
        by_phone = channel_of(history, row, decided) in (*CALLS_US, None)
        if by_phone and (debt is None or debt in about) and local(row["occurred_at"], zone).date() + 7 * DAY > today:
            return True
    return False
