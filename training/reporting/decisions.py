"""What a run decided, and by what it was bounded: the funnel, who waits and why, shadow prices, control arms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from decisioning.exclusions import Exclusions
from decisioning.exclusions.figures import STAGES, Cause, Funnel, RuleExclusion
from training.reporting.evidence import Evidence
from training.reporting.lights import Figure
from training.reporting.parts import Column, Note, Section, Table, Value, not_available, note, table

MOST_CAUSES = 15
_ENGLISH_LABELS = {"not yet due": "a vencer", "over ": "acima de ", " to ": " a ", "unknown": "desconhecido",
                   "nothing open": "nada em aberto"}  # fmt: skip


def decision_funnel(evidence: Evidence) -> Section:
    """From every pair of account and action to what was chosen: by layer, segment, channel and rule."""
    found = evidence.run.exclusions
    if found is None:
        return not_available("decision_funnel", "no_decisions")
    if not found.accounts:
        return not_available("decision_funnel", "empty_decisions")
    notes = [
        note("funnel_of", accounts=found.accounts, at=str(found.decided_at), model=str(found.model_version),
             policy=str(found.policy_version), actions=found.actions)
    ]  # fmt: skip
    if found.model_version != evidence.bundle.version:
        notes.append(note("other_version", model=str(found.model_version), version=evidence.bundle.version))
    notes += [note("stages_text"), note("rules_text"), *_waiting(found)]
    tables = [
        _stages("funnel", [found.total], evidence.locale),
        *(_stages(f"funnel_{_segment(name)}", parts, evidence.locale) for name, parts in found.segments.items()),
        _stages("funnel_channel", found.channels, evidence.locale), _rules(found, evidence.locale),
        _by_channel(found), _causes(found, evidence.locale),
    ]  # fmt: skip
    return Section("decision_funnel", notes=tuple(notes), tables=tuple(tables))


def funnel_numbers(found: Exclusions | None) -> dict[str, Any]:
    """The figures for ``report.json``, or what is missing and how to get it."""
    if found is None:
        return {"missing": "decisions", "how": "acerto report --decisions FILE, of acerto decide --out FILE"}
    return found.as_json()


def _segment(name: str) -> str:
    return "p_pay" if name.startswith("p_pay_") else name


def _stages(name: str, parts: Sequence[Funnel], locale: str) -> Table:
    columns = [Column("part", "text")]
    for name_ in STAGES:
        columns += [Column(f"accounts_{name_}", "count"), Column(f"pairs_{name_}", "percent", 1)]
    rows: list[list[Value]] = []
    for part in parts:
        every = part.stages[0].pairs
        row: list[Value] = [_label(part.label, locale)]
        for stage in part.stages:
            row += [stage.accounts, stage.pairs / every if every else None]
        rows.append(row)
    return table(name, columns, rows)


def _label(label: str, locale: str) -> str:
    if locale == "pt-BR":
        for english, own in {**_ENGLISH_LABELS, "all": "todas"}.items():
            label = own if label == english else label.replace(english, own) if english != "all" else label
    return label


def _rules(found: Exclusions, locale: str) -> Table:
    columns = (
        Column("wording", "text"), Column("rule", "code"), Column("code", "code"), Column("layer", "word"),
        Column("accounts_refused", "percent", 1), Column("refused_whole", "percent", 1),
        Column("pairs_refused", "percent", 1),
        Column("pairs_alone", "percent", 1), Column("accounts_alone", "count"), Column("keeps_waiting", "count"),
    )  # fmt: skip
    every = max(found.total.stages[0].pairs, 1)
    rows = [
        (said(one, locale), one.rule, one.code, f"layer_{one.layer}", one.accounts / found.accounts,
         one.whole_accounts / found.accounts, one.pairs / every, one.alone_pairs / every, one.alone_accounts,
         one.keeps_waiting) for one in found.rules
    ]  # fmt: skip
    return table("rules", columns, rows)


def said(one: RuleExclusion, locale: str) -> str:
    """The wording of a rule, or its code where it has none in that language."""
    return one.text.get(locale, one.code)


def _by_channel(found: Exclusions) -> Table:
    columns = (
        Column("rule", "code"), Column("code", "code"), Column("channel", "code"), Column("pairs_refused",
        "percent", 1),
        Column("pairs_alone", "percent", 1),
    )  # fmt: skip
    pairs = {part.label: max(part.stages[0].pairs, 1) for part in found.channels}
    rows = [
        (one.rule, one.code, name, own.pairs / pairs[name], own.alone_pairs / pairs[name])
        for one in found.rules for name, own in one.channels.items() if name in pairs
    ]  # fmt: skip
    return table("rules_by_channel", columns, rows)


def _causes(found: Exclusions, locale: str) -> Table:
    texts = {(one.rule, one.code): said(one, locale) for one in found.rules}

    def because(cause: Cause) -> str:
        return "; ".join(texts[key] for key in zip(cause.rules, cause.codes, strict=True))

    everyone = max(found.only_wait.accounts, 1)
    shown, rest = found.only_wait.causes[:MOST_CAUSES], found.only_wait.causes[MOST_CAUSES:]
    rows: list[tuple[Value, ...]] = [
        (because(one), " ".join(one.codes), one.accounts, one.accounts / everyone) for one in shown
    ]
    if rest:
        left = sum(one.accounts for one in rest)
        rows.append(("…", f"+{len(rest)}", left, left / everyone))
    columns = (
        Column("wording", "text"),
        Column("code", "code"),
        Column("accounts", "count"),
        Column("share", "percent", 1),
    )
    return table("only_wait", columns, rows)


def _waiting(found: Exclusions) -> list[Note]:
    away = ", ".join(f"{rules}: {accounts}" for rules, accounts in found.only_wait.rules_away.items())
    waits = found.waits
    return [
        note("only_wait_text", accounts=found.only_wait.accounts, share=found.only_wait.accounts / found.accounts),
        note("rules_away", away=away or "–"),
        note("waits_text", accounts=waits.accounts, no_action=waits.no_action, control_arm=waits.control_arm,
             lost_to_budget=waits.lost_to_budget, by_choice=waits.by_choice),
    ]  # fmt: skip


def decision_controls(evidence: Evidence) -> Section:
    """Shadow prices of capacities and budgets, and control arms: who is set apart, and what the policy adds to them."""
    run = evidence.run
    tables, notes = [], []
    if run.prices is None:
        notes.append(note("no_prices"))
    else:
        prices = run.prices
        columns = (
            Column("resource", "text"), Column("used", places=2), Column("at_most", places=2),
            Column("at_least", places=2),
            Column("price", places=4), Column("decisions", "count"),
        )  # fmt: skip
        rows = [
            (one.text.get(evidence.locale, one.name), one.used, one.limit, one.minimum or None, one.price, one.uses)
            for one in prices.resources
        ]
        tables.append(table("shadow_prices", columns, rows))
        notes.append(note("prices_text", gain=prices.gain, bound=prices.bound))
    shares = _arm_shares(evidence)
    controls = None if shares is None else Figure(shares[1], n=shares[2])
    if shares is None:
        notes.append(note("no_arms"))
    else:
        tables.append(shares[0])
    if run.arms is None:
        notes.append(note("no_arm_lift"))
    elif "why" in run.arms:
        notes.append(note("arm_lift_refused", why=str(run.arms["why"])))
    else:
        tables += _arm_lifts(run.arms)
        notes.append(note("arm_lift_text", days=int(run.arms["days"])))
    light = evidence.judge("DECISIONS_CONTROL", controls, reason="no_decided")
    return Section("decision_controls", (light,), tuple(notes), tuple(tables))


def _arm_shares(evidence: Evidence) -> tuple[Table, float, int] | None:
    decided = evidence.run.decided
    if decided is None or not len(decided):
        return None
    counts = Counter(decided.arm)
    rows = [(name, count, count / len(decided)) for name, count in counts.most_common()]
    columns = (Column("arm", "code"), Column("decisions", "count"), Column("share", "percent", 1))
    return table("arm_shares", columns, rows), 1.0 - counts["policy"] / len(decided), len(decided)


def _arm_lifts(found: Any) -> list[Table]:
    arms = [
        (
            name,
            one["accounts"],
            one["debtors"],
            _estimate(one["net"], one),
            one["received"],
            one["cost"],
            one["contacts"],
        )
        for name, one in found["arms"].items()
    ]
    lifts = [
        (
            one["than"],
            _estimate(one["uplift"], _both(found["arms"], one["than"])),
            one["per_cent"],
            one["verdict"],
            one["debtors_needed"],
        )
        for one in found["lifts"]
    ]
    columns = (
        Column("arm", "code"), Column("accounts", "count"), Column("debtors", "count"), Column("net", places=2),
        Column("received", places=2), Column("cost", places=2), Column("contacts", places=2),
    )  # fmt: skip
    than = (
        Column("control", "code"), Column("uplift", places=2), Column("per_cent", places=1), Column("verdict", "word"),
        Column("debtors_needed", "count"),
    )  # fmt: skip
    return [table("arm_values", columns, arms), table("arm_lifts", than, lifts)]


def _both(arms: Any, control: str) -> dict[str, int]:
    """Accounts and debtors of the policy and of the control that it is compared with."""
    return {name: arms["policy"][name] + arms[control][name] for name in ("accounts", "debtors")}


def _estimate(found: Any, one: Any) -> Figure:
    return Figure(found["value"], found["low"], found["high"], one.get("accounts"), one.get("debtors"), "clustered")
