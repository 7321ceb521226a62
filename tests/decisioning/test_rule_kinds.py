"""Kinds of rules and keys that the shipped packs do not use, told as examples of small packs of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from decisioning.contact_policy.pack import Names
from decisioning.pack_examples import broken_examples
from features.config import Attribute
from features.vocabulary import CHANNELS

ATTRIBUTES = {"income": Attribute(kind="numeric"), "employment": Attribute(kind="categorical")}
COMMON = """    legal_basis: a law
    source: somewhere
    wording: {pt-BR: não, en: "no"}
"""
NOON = "2026-03-02T12:00:00-03:00"
DEBT = "debt_id: d1, amount: 300.0, due_on: 2026-01-02, occurred_at: 2025-12-01T12:00:00-03:00"


def _broken(folder: Path, rule: str, examples: str) -> list[str]:
    text = f"pack: x\nrules:\n  - id: x.rule\n{_at(rule, 4)}{COMMON}    examples:\n{_at(examples, 6)}"
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    number, broken = broken_examples(folder, "x", names=Names(CHANNELS, ATTRIBUTES))
    assert number == text.count("then:")
    return broken


def _at(text: str, indent: int) -> str:
    return "".join(" " * indent + line.strip(" ") + "\n" for line in text.strip().splitlines())


def _case(then: str, *, at: str = NOON, channel: str = "email", **given: str) -> str:
    parts = [f"says: so, at: {at}, channel: {channel}", *(f"{key}: {value}" for key, value in given.items())]
    return "- {" + ", ".join([*parts, f"then: {then}"]) + "}\n"


def _refused(code: str, until: str = "null") -> str:
    return f"{{refused: {code}, until: {until}}}"


OLD = "{debts: [{" + DEBT.replace("2026-01", "2016-01") + "}]}"
SMS, LETTER = (
    "{contacts: [{channel: sms, occurred_at: 2026-03-01T10:00:00-03:00}]}",
    ("{contacts: [{channel: letter, occurred_at: 2026-03-01T10:00:00-03:00}]}"),
)
CALLS = "contacts: [{{channel: {}, occurred_at: 2026-03-01T10:00:00-03:00{}}}]"
CAP = _refused("FREQUENCY_CAP", "2026-03-08T10:00:00-03:00")
HELD = "{kind: vulnerable, occurred_at: 2026-02-01T12:00:00-03:00}"
PRESSED = _refused("PRESSURE_CAP", "2026-03-08T10:00:00-03:00")
RULES = {
    "an offer's discount is capped in a segment": (
        "kind: offer_limit\nmax_discount_pct: 20\nwhere: {products: [loan]}",
        _case(_refused("OFFER_LIMIT"), account="{product: loan}", offer="{kind: discount, discount_pct: 25}")
        + _case("allowed", account="{product: loan}", offer="{kind: discount, discount_pct: 20}")
        + _case("allowed", account="{product: card}", offer="{kind: discount, discount_pct: 25}")
        # Who is of no known product may be of this one.
        + _case(_refused("OFFER_LIMIT"), offer="{kind: discount, discount_pct: 25}"),
    ),
    "plans have a longest term and a smallest instalment": (
        "kind: offer_limit\nmax_instalments: 6\nmin_instalment_amount: 50",
        _case(_refused("OFFER_LIMIT"), offer="{kind: instalments, instalments: 7}", given=f"{{debts: [{{{DEBT}}}]}}")
        + _case("allowed", offer="{kind: instalments, instalments: 6}", given=f"{{debts: [{{{DEBT}}}]}}")
        + _case(_refused("OFFER_LIMIT"), offer="{kind: instalments, instalments: 6}",
                given="{debts: [{" + DEBT.replace("300.0", "299.9") + "}]}"),
    ),
    "a cap by channel counts the channel alone": (
        "kind: frequency_cap\nmax_contacts: 1\ndays: 7\nscope: channel",
        _case(CAP, channel="sms", given=SMS)
        + _case("allowed", channel="email", given=SMS),
    ),
    "a cap by account leaves the debtor's other accounts alone": (
        "kind: frequency_cap\nmax_contacts: 1\ndays: 7\nscope: account",
        _case("allowed", given=f"{{{CALLS.format('sms', ', account_id: a2')}}}")
        + _case(CAP, given=SMS),
    ),
    "a cap by contact point takes the fullest of the channel": (
        "kind: frequency_cap\nmax_contacts: 2\ndays: 7\nscope: contact_point",
        _case("allowed", channel="sms", given="{contacts: [" + ", ".join(
            f"{{channel: sms, contact_point_id: {point}, occurred_at: 2026-03-01T1{hour}:00:00-03:00}}"
            for hour, point in enumerate(("one", "two"))) + "]}")
        + _case(CAP, channel="sms", given="{contacts: [" + ", ".join(
            f"{{channel: sms, contact_point_id: one, occurred_at: 2026-03-01T1{hour}:00:00-03:00}}" for hour in range(2)
        ) + "]}"),
    ),
    "a cap on conversations counts those that answered": (
        "kind: frequency_cap\nmax_contacts: 1\ndays: 7\nscope: person\ncounts: conversations",
        _case("allowed", given=f"{{{CALLS.format('agent_call', ', contact_id: c1')}}}")
        + _case(CAP,
                given=f"{{{CALLS.format('agent_call', ', contact_id: c1')}, responses: [{{kind: right_party, "
                "contact_id: c1, occurred_at: 2026-03-01T10:05:00-03:00}]}"),
    ),
    "calls with a consent of the last days do not count": (
        "kind: frequency_cap\nmax_contacts: 1\ndays: 7\nscope: debt\nconsent_spares_days: 7",
        "".join(
            _case(then, given=f"{{{CALLS.format('sms', '')}, consents: [{{channel: sms, status: granted, "
                  f"occurred_at: {when}}}]}}")
            for then, when in (("allowed", "2026-02-22T10:00:01-03:00"),
                               (CAP, "2026-02-22T10:00:00-03:00"))
        ),
    ),
    "a pressure cap by account leaves the debtor's other accounts alone": (
        "kind: pressure_cap\nmax_pressure: 1.5\ndays: 7\nscope: account",
        _case("allowed", given=f"{{{CALLS.format('sms', ', account_id: a2')}}}", intrusiveness="{sms: 1.0, email: 0.6}")
        + _case(PRESSED, given=SMS, intrusiveness="{sms: 1.0, email: 0.6}")
        + _case("allowed", given=SMS, intrusiveness="{sms: 1.0, email: 0.5}"),
    ),
    "a pressure cap may count local days": (
        "kind: pressure_cap\nmax_pressure: 1\ndays: 7\nwindow: local_days",
        _case(_refused("PRESSURE_CAP", "2026-03-08T00:00:00-03:00"), given=SMS, intrusiveness="{sms: 1.0, email: 0.1}"),
    ),
    "a pressure cap may be about some channels alone": (
        "kind: pressure_cap\nmax_pressure: 1\ndays: 7\nchannels: [sms]",
        _case("allowed", channel="email", given=SMS, intrusiveness="{sms: 1.0, email: 1.0}")
        + _case("allowed", channel="sms", given=SMS.replace("sms", "email"), intrusiveness="{sms: 1.0, email: 1.0}")
        + _case(PRESSED, channel="sms", given=SMS, intrusiveness="{sms: 1.0}"),
    ),
    "what presses more than may ever be carried never fits": (
        "kind: pressure_cap\nmax_pressure: 0.5\ndays: 7",
        _case(_refused("PRESSURE_CAP"), intrusiveness="{email: 0.6}")
        + _case("allowed", intrusiveness="{email: 0.5}"),
    ),
    "a channel that is no longer configured counts as the hardest": (
        "kind: pressure_cap\nmax_pressure: 1\ndays: 7",
        _case(PRESSED, given=SMS.replace("sms", "fax"), intrusiveness="{email: 0.1}"),
    ),
    "ten times six tenths are six, and not a rounding error more": (
        "kind: pressure_cap\nmax_pressure: 6\ndays: 7",
        _case("allowed", intrusiveness="{email: 0.6}", given="{contacts: [" + ", ".join(
            f"{{channel: email, occurred_at: 2026-03-01T1{hour}:00:00-03:00}}" for hour in range(9)) + "]}"),
    ),
    "who is in distress is spared by what was said on any account": (
        "kind: forbearance\nmax_intrusiveness: 0.5\nholds: []\nreasons: [illness]\nreason_days: 2",
        "".join(_case(then, given="{responses: [{kind: replied, account_id: a2, "
                      f"reason: {reason}, occurred_at: {when}}}]}}", intrusiveness=f"{{email: {hard}}}")
                for then, reason, when, hard in (
                    (_refused("NO_PRESSURE", "2026-03-03T10:00:00-03:00"), "illness", "2026-03-01T10:00:00-03:00", 0.6),
                    ("allowed", "illness", "2026-03-01T10:00:00-03:00", 0.5),
                    ("allowed", "illness", "2026-02-28T12:00:00-03:00", 0.6),
                    ("allowed", "income_drop", "2026-03-01T10:00:00-03:00", 0.6))),
    ),
    "an approval opens nothing for who is in distress": (
        "kind: forbearance\nmax_intrusiveness: 1\nholds: [vulnerable]\nreasons: []",
        _case(_refused("NO_PRESSURE"), channel="letter", gated="true", given="{holds: [" + HELD + "], approvals: "
              "[{action: 'letter/*/*', occurred_at: 2026-02-02T12:00:00-03:00}]}")
        + _case("allowed", channel="letter", given="{holds: [" + HELD + "]}"),
    ),
    "a plan needs a known income for some days after a reason was given": (
        "kind: affordability\nmax_share: 0.5\nknown_income_for_reasons: [illness]\nreason_days: 2",
        "".join(_case(then, offer="{kind: instalments, instalments: 3}", account=account,
                      given=f"{{responses: [{{kind: replied, reason: illness, occurred_at: {when}}}]}}")
                for then, account, when in (
                    (_refused("NOT_AFFORDABLE", "2026-03-03T10:00:00-03:00"), "{}", "2026-03-01T10:00:00-03:00"),
                    ("allowed", "{income: 9000.0}", "2026-03-01T10:00:00-03:00"),
                    ("allowed", "{}", "2026-02-28T12:00:00-03:00"))),
    ),
    "a payment may be followed by some quiet days": (
        "kind: cool_down\nafter: [payment]\ndays: 3\nscope: account",
        _case(_refused("COOL_DOWN", "2026-03-04T10:00:00-03:00"),
              given="{payments: [{amount: 5.0, occurred_at: 2026-03-01T10:00:00-03:00}]}")
        + _case("allowed", given="{payments: [{amount: -5.0, occurred_at: 2026-03-01T10:00:00-03:00}]}"),
    ),
    "a cool-down by channel leaves the others open": (
        "kind: cool_down\nafter: [read]\ndays: 2\nscope: channel",
        "".join(_case(then, channel=channel,
                      given="{responses: [{kind: read, channel: sms, occurred_at: 2026-03-01T10:00:00-03:00}]}")
                for then, channel in ((_refused("COOL_DOWN", "2026-03-03T10:00:00-03:00"), "sms"),
                                      ("allowed", "email"))),
    ),
    "a consent grows too old": (
        "kind: consent_required\nmax_age_days: 10",
        "".join(_case(then, given=f"{{consents: [{{channel: email, status: granted, occurred_at: {when}}}]}}")
                for then, when in (("allowed", "2026-02-20T12:00:01-03:00"),
                                   (_refused("NO_CONSENT"), "2026-02-20T12:00:00-03:00"))),
    ),
    "an opt-out may end": (
        "kind: opt_out\ndays: 90",
        _case(_refused("OPTED_OUT", "2026-04-01T12:00:00-03:00"),
              given="{responses: [{kind: opted_out, occurred_at: 2026-01-01T12:00:00-03:00}]}"),
    ),
    "debts that were just issued wait": (
        "kind: minimum_notice\ndays: 10\nsince: issued",
        _case(_refused("MINIMUM_NOTICE", "2026-03-05T00:00:00-03:00"),
              given="{debts: [{" + DEBT.replace("2025-12-01", "2026-02-23") + "}]}"),
    ),
    "a step waits for a letter, and for its answer": (
        "kind: minimum_notice\ndays: 10\nsince: contacted\ncontact_channels: [letter]\nchannels: [protest]",
        _case(_refused("MINIMUM_NOTICE"), channel="protest")
        + _case(_refused("MINIMUM_NOTICE", "2026-03-11T00:00:00-03:00"), channel="protest",
                given=LETTER)
        + _case("allowed", at="2026-03-11T00:00:00-03:00", channel="protest", given=LETTER),
    ),
    "some actions need an approval that is in force": (
        "kind: approval\nactions: ['letter/*/*']",
        _case(_refused("NEEDS_APPROVAL"), channel="letter")
        + _case("allowed", channel="email")
        + "".join(_case(then, channel="letter", given="{approvals: [{action: 'letter/*/*', approved_by: someone, "
                        f"occurred_at: 2026-02-01T12:00:00-03:00, expires_at: {when}}}]}}")
                  for then, when in (("allowed", "2026-03-02T12:00:01-03:00"), (_refused("NEEDS_APPROVAL"), NOON))),
    ),
    "a day has a volume over everybody": (
        "kind: daily_volume\nmax_contacts: 1\nchannels: [sms, agent_call]\ntimezone: America/Sao_Paulo",
        _case(_refused("DAILY_VOLUME", "2026-03-03T00:00:00-03:00"), channel="sms",
              given="{contacts: [{channel: agent_call, account_id: a2, occurred_at: 2026-03-02T00:00:00-03:00}]}")
        + _case("allowed", channel="sms",
                given="{contacts: [{channel: agent_call, account_id: a2, occurred_at: 2026-03-01T23:59:59-03:00}]}"),
    ),
    "the elderly may be protected by a rule of their own": (
        "kind: frequency_cap\nmax_contacts: 1\ndays: 30\nwhere: {age: {at_least: 65}}",
        "".join(_case(then, account=account, given=SMS)
                for then, account in ((_refused("FREQUENCY_CAP", "2026-03-31T10:00:00-03:00"), "{birth_year: 1961}"),
                                      ("allowed", "{birth_year: 1962}"),
                                      (_refused("FREQUENCY_CAP", "2026-03-31T10:00:00-03:00"), "{}"))),
    ),
    "a segment is spared where it is known to be one": (
        "kind: frequency_cap\nmax_contacts: 1\ndays: 7\nexcept_where: {attributes: {employment: {one_of: [public]}}}",
        "".join(_case(then, account=account, given=SMS)
                for then, account in (("allowed", "{employment: public}"),
                                      (CAP, "{employment: formal}"),
                                      (CAP, "{}"))),
    ),
    "a rule ends with its last day": (
        "kind: time_barred\nyears: 5\neffective_to: 2026-05-01",
        _case(_refused("TIME_BARRED", "2026-05-01T00:00:00-03:00"), given=OLD)
        + _case("allowed", at="2026-05-01T00:00:00-03:00", given=OLD),
    ),
    "and begins with its first": (
        "kind: time_barred\nyears: 5\neffective_from: 2026-05-01",
        _case("allowed", at="2026-04-30T23:59:59-03:00", given=OLD)
        + _case(_refused("TIME_BARRED"), at="2026-05-01T00:00:00-03:00", given=OLD),
    ),
    "a window that ends with its rule is no longer one": (
        "kind: call_window\nhours: {mon: [8, 9]}\nholidays: open\neffective_to: 2026-03-03",
        _case(_refused("OUTSIDE_CALL_WINDOW", "2026-03-03T00:00:00-03:00"))
        + _case("allowed", at="2026-03-03T00:00:00-03:00"),
    ),
    "a plan needs a known income where the debtor is in distress": (
        "kind: affordability\nmax_share: 0.5",
        _case(_refused("NOT_AFFORDABLE"), offer="{kind: instalments, instalments: 3}",
              given="{holds: [{kind: hardship, occurred_at: 2026-02-01T12:00:00-03:00}]}")
        + _case("allowed", offer="{kind: instalments, instalments: 3}"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", RULES)
def test_a_rule_does_what_is_claimed(tmp_path: Path, claim: str) -> None:
    assert _broken(tmp_path, *RULES[claim]) == []
