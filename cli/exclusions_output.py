"""What actions were chosen, and which rules took the rest away: tables for people, and a file beside decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import say, show_table

if TYPE_CHECKING:
    from decisioning.desk import Desk
    from decisioning.exclusions import Exclusions
    from domain.decisions import Decision
    from features.encoding import Encoded

_RULES, _CAUSES = 8, 3


def exclusions_of(decisions: list[Decision], encoded: Encoded, desk: Desk) -> Exclusions:
    """The figures of one run, by what decisions tell and by days past due, region and product."""
    from decisioning.exclusions import account_segments, decision_segments, exclusions, wordings

    segments = account_segments(decisions, encoded, channels=desk.catalogue.channels) | decision_segments(decisions)
    return exclusions(decisions, desk.catalogue, segments=segments, wording=wordings(desk))


def write_exclusions(out: Path, found: Exclusions) -> None:
    """Writes ``OUT.funnel.json`` beside the decisions."""
    from decisioning.exclusions import record

    record.write_exclusions(found, out)


def show_exclusions(found: Exclusions) -> None:
    """The funnel of all accounts, the rules that refuse most, and who is left with nothing but ``wait``."""
    if not found.accounts:
        return
    first = found.total.at("candidates")
    rows = [
        [stage.name, f"{stage.accounts:,}", _share(stage.accounts, first.accounts), f"{stage.pairs:,}",
         _share(stage.pairs, first.pairs)]
        for stage in found.total.stages
    ]  # fmt: skip
    show_table("from candidates to choices", ["left", "accounts", "share", "pairs with an action", "share"], rows)
    rules = [
        [f"{one.rule} {one.code}", _share(one.accounts, first.accounts), _share(one.pairs, first.pairs),
         _share(one.alone_pairs, first.pairs), f"{one.keeps_waiting:,}"]
        for one in found.rules[:_RULES]
    ]  # fmt: skip
    if rules:
        more = f"; {len(found.rules) - _RULES} more in the file beside" if len(found.rules) > _RULES else ""
        header = ["rule", "refuses accounts", "pairs", "pairs alone", "alone keeps waiting"]
        show_table(f"exclusion rate by rule{more}", header, rules)
    waits = found.waits
    say(
        f"{waits.accounts:,} accounts wait: nothing is allowed to {waits.no_action:,}, {waits.control_arm:,} are in "
        f"control arms, {waits.lost_to_budget:,} lost their action to a budget, {waits.by_choice:,} by choice"
    )
    if found.only_wait.accounts:
        told = [f"{' + '.join(cause.codes)} ({cause.accounts:,})" for cause in found.only_wait.causes[:_CAUSES]]
        say(f"nothing is allowed mostly because of: {'; '.join(told)}")


def _share(part: int, of: int) -> str:
    return f"{part / of:.1%}" if of else "-"
