"""The short form of benchmarks/soak_disk.py: one service, whose disk fails in every way, and is killed in the last."""

from __future__ import annotations

import sys

import failing_disk
import pytest
import soak_disk

pytestmark = [
    pytest.mark.skipif(failing_disk.compiler() is None, reason="no compiler for C on this machine"),
    pytest.mark.skipif(sys.platform != "linux", reason="the disk that fails is made for Linux"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> soak_disk.Found:
    return soak_disk.fails(failing_disk.FAULTS, tmp_path_factory.mktemp("disk"))


def test_nothing_that_was_acknowledged_is_lost_on_a_disk_that_fails(found: soak_disk.Found) -> None:
    assert found.acknowledged > 0
    assert found.lost == 0


@pytest.mark.parametrize("fault", [name for name in failing_disk.FAULTS if name != failing_disk.SLOW])
def test_while_the_disk_fails_a_write_is_503_or_done(found: soak_disk.Found, fault: str) -> None:
    [one] = [each for each in found.faults if each.fault == fault]
    assert one.met > 0
    assert one.during["503"] > 0
    assert one.during.keys() <= {"200", "503"}


def test_a_slow_disk_refuses_nobody(found: soak_disk.Found) -> None:
    [one] = [each for each in found.faults if each.fault == failing_disk.SLOW]
    assert one.met > 0
    assert one.during.keys() == {"200"}


def test_every_503_says_when_to_come_again(found: soak_disk.Found) -> None:
    assert found.without == 0


@pytest.mark.parametrize("fault", failing_disk.FAULTS)
def test_it_writes_again_by_itself_once_the_disk_does(found: soak_disk.Found, fault: str) -> None:
    assert [one.recovered for one in found.faults if one.fault == fault] == [True]
