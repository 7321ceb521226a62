"""What is said of progress where no terminal shows a bar."""

from __future__ import annotations

from cli.output import progress


def test_each_step_is_one_plain_line_however_often_it_is_told(capfd):
    with progress("training", lines=True) as step:
        for name, share in (("read", 0.0), ("read", 0.1), ("fit", 0.5)):
            step(name, share)
    said = capfd.readouterr().err.splitlines()
    assert [line.split(",")[-1].strip() for line in said] == ["read", "fit"]


def test_nothing_is_said_when_quiet(capfd):
    with progress("training", lines=True, quiet=True) as step:
        step("read", 0.0)
    assert capfd.readouterr().err == ""
