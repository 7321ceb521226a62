"""What the history of promotions notices, and what it survives."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.promoting.history import FILE, appending, breaks, read

SAID = [{"kind": "promoted", "version": "1", "by": "ana"}, {"kind": "forced", "version": "2", "by": "bo"}]
SAID += [{"kind": "rolled_back", "version": "1", "by": "ana"}]


def write(root, contents=SAID):
    digests = []
    for number, content in enumerate(contents):
        with appending(root, content, at=f"2026-01-0{number + 1}T00:00:00Z") as digest:
            digests.append(digest)
    return digests


def lines(root):
    return (root / FILE).read_bytes().splitlines(keepends=True)


def test_entries_come_back_in_their_order(tmp_path):
    write(tmp_path)
    assert [(line.number, line.entry["by"]) for line in read(tmp_path)] == [(1, "ana"), (2, "bo"), (3, "ana")]


def test_what_was_written_holds_with_any_of_its_lines_as_head(tmp_path):
    digests = write(tmp_path)
    assert breaks(read(tmp_path), {f"head {digest}": digest for digest in digests}) == []


def test_nothing_recorded_is_nothing_broken(tmp_path):
    assert (read(tmp_path), breaks(read(tmp_path), {})) == ([], [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2), new=st.text(min_size=1, max_size=5).filter(lambda text: text not in ("ana", "bo")))
def test_who_is_changed_in_any_line_is_noticed(tmp_path_factory, place, new):
    root = tmp_path_factory.mktemp("history")
    head = write(root)[-1]
    found = lines(root)
    entry = json.loads(found[place]) | {"by": new}
    found[place] = json.dumps(entry, sort_keys=True).encode() + b"\n"
    (root / FILE).write_bytes(b"".join(found))
    assert breaks(read(root), {"the alias": head})


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_line_that_is_taken_out_is_noticed(tmp_path, gone):
    head = write(tmp_path)[-1]
    found = lines(tmp_path)
    (tmp_path / FILE).write_bytes(b"".join(found[:gone] + found[gone + 1 :]))
    assert breaks(read(tmp_path), {"the alias": head})


def test_a_history_written_anew_is_noticed_by_the_head_that_another_names(tmp_path):
    head = write(tmp_path)[-1]
    (tmp_path / FILE).unlink()
    write(tmp_path, [SAID[0], {**SAID[1], "by": "nobody"}, SAID[2]])
    assert breaks(read(tmp_path), {}) == []
    assert breaks(read(tmp_path), {"the alias": head}) == ["the line that the alias names is not there, or was changed"]


def test_a_deleted_history_is_noticed_by_the_head_that_another_names(tmp_path):
    head = write(tmp_path)[-1]
    (tmp_path / FILE).unlink()
    assert breaks(read(tmp_path), {"the alias": head})


def test_what_fails_meanwhile_is_not_recorded(tmp_path):
    with pytest.raises(ConnectionError), appending(tmp_path, SAID[0], at="2026-01-01T00:00:00Z"):
        raise ConnectionError
    assert read(tmp_path) == []


def test_after_a_line_cut_short_by_a_crash_the_next_is_recorded_and_the_torn_one_told(tmp_path):
    write(tmp_path)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-20])
    write(tmp_path, SAID[:1])
    assert len(read(tmp_path)) == 4
    assert breaks(read(tmp_path), {}) == ["line 3 cannot be read"]
