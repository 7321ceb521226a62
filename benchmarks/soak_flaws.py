"""Whether the lights of the report catch known flaws, and stay green where there is none.

    python benchmarks/soak_flaws.py [--seeds 20] [--accounts 5000] [--jobs 1] [--kinds NAME ...] [--out FILE]

Each seed is a lender of its own. A sound model of it is trained and reported as a whole; then each flaw is planted in a
copy of the same data, model, log or decisions, and the sections whose lights must catch it are made again. *Caught*:
one of those lights is amber or red while all are green on the sound twin. *False alarm*: one is not green on the sound
twin. Intervals are Clopper and Pearson's.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from counted_shares import share_of
from flaw_models import champion_of, compared, decided
from flaw_plants import PLANTS, Plant
from flaw_world import ACCOUNTS, CONFIGS, SectionOf, Study, evidence_of, fitted, lender, lights_of

from training.payment import Fitted
from training.reporting.catalogue import SECTIONS
from training.reporting.evidence import Evidence, Run
from training.reporting.lights import Light
from training.reporting.policy import ReportPolicy, load_policy

NO_LIGHTS = ("dependence", "local")
"""Sections that take long to draw and have no light."""
MOST_MISSED, MOST_FALSE = 0.05, 0.05


@dataclass(frozen=True)
class Sound:
    """A lender with a sound model, its lights by code, and the section that makes each."""

    study: Study
    model: Fitted
    evidence: Evidence
    lights: dict[str, Light]
    section: dict[str, SectionOf]


@dataclass(frozen=True)
class Caught:
    """One flaw planted once: the lights of which one must catch it, on the sound twin and on the flawed one."""

    plant: Plant
    seed: int
    before: tuple[Light, ...]
    after: tuple[Light, ...]

    @property
    def false_alarm(self) -> bool:
        """Whether a light is not green where nothing is wrong."""
        return any(light.colour != "green" for light in self.before)

    @property
    def flagged(self) -> bool:
        """Whether one turned amber or red by the flaw."""
        return not self.false_alarm and any(light.colour in ("amber", "red") for light in self.after)

    @property
    def red(self) -> bool:
        """Whether one turned red by the flaw."""
        return not self.false_alarm and any(light.colour == "red" for light in self.after)


@dataclass
class Tally:
    """What all seeds gave: flaws planted, and the lights of each sound report."""

    caught: list[Caught] = field(default_factory=list)
    sound: list[dict[str, Light]] = field(default_factory=list)

    @property
    def counted(self) -> list[Caught]:
        """Without the flaws that no light is known to see."""
        return [one for one in self.caught if not one.plant.blind]


@contextmanager
def sound(seed: int, *, accounts: int = ACCOUNTS, policy: ReportPolicy) -> Iterator[Sound]:
    """A lender, a model of it, and every light of its report; the bundle is there as long as the block lasts."""
    study = lender(seed, accounts=accounts)
    study = replace(study, champion=champion_of(study))
    model = fitted(study)
    with tempfile.TemporaryDirectory() as folder:
        evidence = evidence_of(study, model, Path(folder) / "2", policy=policy)
        evidence = replace(evidence, comparison=compared(study), run=Run(decided=decided(study)))
        lights: dict[str, Light] = {}
        section: dict[str, SectionOf] = {}
        for one in SECTIONS:
            if one.__name__ not in NO_LIGHTS:
                found = {light.code: light for light in one(evidence).lights}
                lights |= found
                section |= dict.fromkeys(found, one)
        yield Sound(study, model, evidence, lights, section)


def planted(plant: Plant, twin: Sound, *, policy: ReportPolicy) -> tuple[Light, ...]:
    """The lights of which one must catch a flaw, with the flaw in a copy of what is sound."""
    sections = list(dict.fromkeys(twin.section[code] for code in plant.lights))
    if plant.stage == "evidence":
        found = lights_of(plant.change(twin.study, twin.evidence), sections)
        return tuple(found[code] for code in plant.lights)
    study = plant.change(twin.study) if plant.stage == "data" else twin.study
    model = fitted(study) if plant.stage == "data" else plant.change(study, twin.model)
    with tempfile.TemporaryDirectory() as folder:
        found = lights_of(evidence_of(study, model, Path(folder) / "2", policy=policy), sections)
    return tuple(found[code] for code in plant.lights)


def run(seeds: Sequence[int], plants: Sequence[Plant], *, accounts: int = ACCOUNTS, jobs: int = 1) -> Tally:
    """Every flaw on every seed, ``jobs`` of them at a time."""
    tally = Tally()
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(partial(_of_seed, plants=plants, accounts=accounts), seeds):
            tally.sound += found.sound
            tally.caught += found.caught
            wrong = [
                f"{one.plant.name} {'rings' if one.false_alarm else 'missed'}"
                for one in found.counted
                if not one.flagged
            ]
            print(f"{len(tally.sound)} of {len(seeds)} lenders: {', '.join(wrong) or 'all caught'}", file=sys.stderr)
    return tally


def _of_seed(seed: int, *, plants: Sequence[Plant], accounts: int) -> Tally:
    policy = load_policy(CONFIGS)
    with sound(seed, accounts=accounts, policy=policy) as twin:
        before = [tuple(twin.lights[code] for code in one.lights) for one in plants]
        after = [planted(one, twin, policy=policy) for one in plants]
    return Tally([Caught(*one) for one in zip(plants, repeat(seed), before, after, strict=False)], [twin.lights])


def report(tally: Tally) -> list[str]:
    """Lines of Markdown: a row per flaw, all flaws together, and the sound reports."""
    lines = ["| flaw | light | caught | of them red | false alarms |", "|---|---|---|---|---|"]
    for plant in dict.fromkeys(one.plant for one in tally.caught):
        own = [one for one in tally.caught if one.plant == plant]
        flagged, red, false = (sum(getattr(one, kind) for one in own) for kind in ("flagged", "red", "false_alarm"))
        name = f"{plant.name} (known blind spot, counted apart)" if plant.blind else plant.name
        cells = (name, ", ".join(plant.lights), share_of(flagged, len(own)), str(red), share_of(false, len(own)))
        lines.append(f"| {' | '.join(cells)} |")
    counted = tally.counted
    flagged, false = (sum(getattr(one, kind) for one in counted) for kind in ("flagged", "false_alarm"))
    # Flaws that one light catches share their sound twins, which are counted once.
    watched = {(one.seed, light.code): light.colour != "green" for one in counted for light in one.before}
    lines += ["", f"caught: {share_of(flagged, len(counted))}"]
    lines += [f"false alarms by flaw and seed: {share_of(false, len(counted))}"]
    lines += [f"false alarms by light and seed: {share_of(sum(watched.values()), len(watched))}"]
    return lines + _sound_lines(tally.sound)


def _sound_lines(reports: Sequence[dict[str, Light]]) -> list[str]:
    colours = {colour: Counter(c for one in reports for c, light in one.items() if light.colour == colour)
               for colour in ("red", "amber", "not_available")}  # fmt: skip
    judged = sum(light.colour != "not_available" for one in reports for light in one.values())
    counts = {colour: sum(found.values()) for colour, found in colours.items()}
    any_of = {colour: sum(any(light.colour == colour for light in one.values()) for one in reports)
              for colour in ("red", "amber")}  # fmt: skip
    return [
        f"sound reports with any red light: {share_of(any_of['red'], len(reports))}; with any amber one: "
        f"{share_of(any_of['amber'], len(reports))}",
        f"of {judged} lights on sound models {counts['red']} red, {counts['amber']} amber",
        *(f"{colour}: {', '.join(f'{code} {n}' for code, n in found.most_common()) or '–'}"
          for colour, found in colours.items()),
    ]  # fmt: skip


def kept(tally: Tally) -> bool:
    """Whether at most one flaw in twenty is missed, and at most one light in twenty rings without a reason."""
    counted = tally.counted
    missed, false = sum(not one.flagged for one in counted), sum(one.false_alarm for one in counted)
    return missed <= MOST_MISSED * len(counted) and false <= MOST_FALSE * len(counted)


def main() -> None:
    """Run, print, and end with 1 where the figures do not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1_000)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=sorted(PLANTS), default=list(PLANTS))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    tally = run(seeds, [PLANTS[name] for name in given.kinds], accounts=given.accounts, jobs=given.jobs)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (used.ru_utime + used.ru_stime) / 60
    lines = [
        f"{given.seeds} lenders of {given.accounts:,} accounts, {len(given.kinds)} flaws; "
        f"{spent:.0f} minutes of one core", "", *report(tally),
    ]  # fmt: skip
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(0 if kept(tally) else 1)


if __name__ == "__main__":
    main()
