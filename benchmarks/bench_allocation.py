"""Allocation under nine constraints: gap to the dual bound, CPU and memory; against HiGHS and greedy; and a day online.

    python benchmarks/bench_allocation.py [--accounts 1000000] [--highs 1000 10000] [--seed 0] [--short]

Each size runs in a process of its own, so that its memory is its own; compiled code is warm. CPU is that of the
process, one thread. Gaps are shares of the gain over waiting, which is smaller than the value and so the harder
measure.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from allocation_day import day
from allocation_world import greedy, highs, portfolio

from decisioning.allocation import solve
from decisioning.allocation.problem import Problem
from decisioning.allocation.repair import use_of

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and the CPU seconds that it took."""
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def peak_gib() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def one_size(accounts: int, seed: int, *, against_highs: bool) -> None:
    """Solves one problem and prints a row per method."""
    small = portfolio(200, seed=seed)
    solve(small), greedy(small, dearest_first=True)  # compiled code is read or made here
    before = peak_gib()
    problem = portfolio(accounts, seed=seed)
    made = peak_gib()
    found, cpu = timed(lambda: solve(problem))
    fits = bool((use_of(problem, found.choice) <= problem.limit).all())
    size = (problem.value.nbytes + problem.amount.nbytes) / 2**30
    print(f"\n{accounts:,} accounts x {problem.value.shape[1]} actions x {problem.resources} constraints, seed {seed}")
    print(
        f"  dual + repair     CPU {cpu:8.2f} s   gap to bound {found.gap:9.5%}   within limits: {fits}   "
        f"{found.passes} passes; "
        f"peak {peak_gib():.2f} GiB (problem {size:.2f}, making it {made:.2f}, libraries {before:.2f})"
    )
    if against_highs:
        for integer in (False, True):
            (value, bound), other = timed(lambda integer=integer: highs(problem, integer=integer))  # type: ignore[misc]
            name = "HiGHS, integer   " if integer else "HiGHS, relaxation"
            below = (value - found.value) / abs(value)
            print(
                f"  {name} CPU {other:8.2f} s   ratio {other / cpu:9.0f}   ours below it {below:9.5%}   "
                f"our bound above its own {(found.bound - bound) / abs(bound):.1e}"
            )
    for name, dearest in (("greedy, in order ", False), ("greedy, best first", True)):
        choice, other = timed(lambda dearest=dearest: greedy(problem, dearest_first=dearest))  # type: ignore[misc]
        value = _worth(problem, choice)
        lost = found.value - value
        print(f"  {name} CPU {other:8.2f} s   loses {lost / found.value:.2%} of the gain ({lost:,.0f})")


def online(accounts: int, seed: int) -> None:
    """Plays a day at the prices of another portfolio, as they are and made wrong."""
    wrong = np.array([1.3, 0.7, 1.0, 1.3, 0.8, 1.0, 1.0, 1.2, 1.0])
    print(f"\n{accounts:,} accounts one by one, 200 adjustments, prices of another portfolio, seed {seed + 1}")
    for name, factor in (("as they are", np.ones(9)), ("up to 30 % wrong", wrong)):
        found, cpu = timed(lambda factor=factor: day(accounts, factor=factor, seed=seed + 1))  # type: ignore[misc]
        within = bool((found.use <= found.limit).all())
        print(f"  {name:17s} {found.gain / found.bound:.3%} of the bound   within limits: {within}   CPU {cpu:.1f} s")


def _worth(problem: Problem, choice: np.ndarray) -> float:
    return float(problem.value[np.arange(len(problem)), choice].sum(dtype=np.float64))


def main() -> None:
    """Runs every size in a new process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--highs", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--short", action="store_true", help="1,000 and 50,000 accounts: seconds")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--day", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one_size(given.one, given.seed, against_highs=given.one in given.highs)
        return
    if given.day:
        online(given.day, given.seed)
        return
    sizes = [1_000, 50_000] if given.short else [*given.highs, given.accounts]
    compared = [1_000] if given.short else given.highs
    for size in sizes:
        own = ["--one", str(size), "--seed", str(given.seed), "--highs", *map(str, compared)]
        subprocess.run([sys.executable, __file__, *own], check=True)
    for size in [20_000] if given.short else [20_000, 200_000, given.accounts]:
        subprocess.run([sys.executable, __file__, "--day", str(size), "--seed", str(given.seed)], check=True)


if __name__ == "__main__":
    main()
