"""The challenger sees what was answered, and can neither slow nor break an answer."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scratch_registry import ScratchRegistry
from waiting import until

from decisioning.shadows import Pair, compare
from domain.errors import BundleError, ConfigError
from serving import handling, metrics
from serving.app import create_app
from serving.daily_lines import DailyLines
from serving.engine import load_engine
from serving.settings import Settings, read_settings, read_shadow
from serving.shadow import MOST_BYTES, MOST_WAITING, Asked, Model, Shadow, shadow_of
from serving.shadow_process import answered, read_here

CONFIGS = Path(__file__).parents[2] / "configs"
ANSWER = {"account_id": "a1", "model_version": "7", "p_pay": {"7d": 0.1}, "p_pay_30d": 0.2, "action": "sms/none/any"}
ASKED = Asked("/v1/decisions", b"{}", "2026-03-02T12:00:00Z", [ANSWER], 10)


class FakeModel:
    """Stands for the process: says what it is told to say, or does what it is told to do."""

    def __init__(self, target: Any, says: Callable[[Asked], Any]) -> None:
        self.target, self._says = target, says
        self.closed = threading.Event()

    def answers(self, asked: Asked) -> Any:
        return self._says(asked)

    def close(self) -> None:
        self.closed.set()


def of_eight(asked: Asked) -> Any:
    return [answer | {"model_version": "8", "p_pay_30d": 0.5} for answer in asked.answers]


def crash(asked: Asked) -> Any:
    raise EOFError


class House:
    """A shadow over fake processes, with the log that it writes."""

    def __init__(self, folder: Path, says: Callable[[Asked], Any] = of_eight) -> None:
        self._scratch, self.folder = ScratchRegistry(folder / "mlruns"), folder / "log"
        self.registry = self._scratch.root
        self.models: list[FakeModel] = []
        self.says = says
        self.point("8")
        self.shadow = Shadow(self.registry, lines=DailyLines(self.folder, "shadow"), start=self._start)

    def _start(self, target: Any) -> Any:
        self.models.append(FakeModel(target, self._said))
        return self.models[-1]

    def _said(self, asked: Asked) -> Any:
        return self.says(asked)

    def point(self, version: str) -> None:
        self._scratch.point(version, alias="challenger")

    def pairs(self) -> list[Pair]:
        return [Pair.from_line(line) for path in self.folder.iterdir() for line in path.read_text().splitlines()]

    def counted(self, result: str, more: int = 1) -> None:
        """Offers one request and waits until it came to this result."""
        before = counted(result)
        self.shadow.offer(ASKED)
        until(lambda: counted(result) == before + more)


def counted(result: str) -> float:
    return float(metrics.SHADOW.labels(result=result)._value.get())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    found.shadow.start()
    yield found
    found.shadow.close()


def test_both_answers_are_kept_for_comparison(house: House) -> None:
    house.counted("compared")
    (pair,) = house.pairs()
    assert (pair.champion.model_version, pair.challenger.model_version) == ("7", "8")
    assert pair.differences == {"7d": 0.0, "30d": 0.3}
    assert (pair.account_id, pair.as_of, pair.same_action) == ("a1", "2026-03-02T12:00:00Z", True)


def test_nothing_of_the_debtor_but_the_account_is_kept(house: House) -> None:
    secret = ANSWER | {"amount_due": 1234.56, "debt_ids": ["529.982.247-25"], "reasons": [{"text": "secret"}]}
    house.shadow.offer(replace(ASKED, body=b'{"cpf": "529.982.247-25"}', answers=[secret]))
    until(lambda: bool(house.pairs()))
    text = "".join(path.read_text() for path in house.folder.iterdir())
    assert not [word for word in ("529", "1234", "secret", "cpf") if word in text]
    assert json.loads(text).keys() == {"account_id", "as_of", "champion", "challenger"}


def test_differences_and_equal_actions_are_counted(house: House) -> None:
    difference = metrics.SHADOW_DIFFERENCE.labels(horizon="30d")
    before = difference._count.get(), difference._sum.get(), metrics.SHADOW_ACTIONS.labels(same="yes")._value.get()
    house.counted("compared")
    after = difference._count.get(), difference._sum.get(), metrics.SHADOW_ACTIONS.labels(same="yes")._value.get()
    assert [new - old for new, old in zip(after, before, strict=True)] == pytest.approx([1, 0.3, 1])


def test_a_challenger_that_hangs_stops_nobody_and_what_does_not_fit_is_counted(house: House) -> None:
    inside, allowed = threading.Event(), threading.Event()

    def hang(asked: Asked) -> Any:
        inside.set()
        allowed.wait(20)
        return of_eight(asked)

    house.says = hang
    before = counted("dropped")
    house.shadow.offer(ASKED)
    assert inside.wait(10)
    for _ in range(MOST_WAITING + 5):
        house.shadow.offer(ASKED)
    assert counted("dropped") == before + 5
    allowed.set()
    until(lambda: len(house.pairs()) == MOST_WAITING + 1)


def test_large_requests_fill_the_queue_by_their_bytes(tmp_path: Path) -> None:
    shadow = House(tmp_path).shadow
    before = counted("dropped")
    for _ in range(3):
        shadow.offer(replace(ASKED, size=MOST_BYTES // 2))
    assert counted("dropped") == before + 1


def test_a_challenger_that_crashes_is_started_again(house: House) -> None:
    house.counted("compared")
    house.says = crash
    house.counted("failed")
    assert house.models[0].closed.is_set()
    house.says = of_eight
    house.counted("compared")
    assert len(house.models) == 2


def test_one_that_goes_on_crashing_is_left_alone_until_the_alias_moves(house: House) -> None:
    house.says = crash
    for _ in range(3):
        house.counted("failed")
    house.counted("no_challenger")
    assert len(house.models) == 3
    house.says = of_eight
    house.point("9")
    house.counted("compared")


def test_one_that_does_not_come_up_is_not_tried_again_until_the_alias_moves(tmp_path: Path) -> None:
    house = House(tmp_path)
    started = []

    def start(target: Any) -> Any:
        started.append(target.version)
        raise BundleError("does not come up")

    house.shadow = Shadow(house.registry, start=start)
    house.shadow.start()
    house.counted("failed")
    house.counted("no_challenger")
    assert started == ["8"]
    house.point("9")
    house.counted("failed")
    assert started == ["8", "9"]
    house.shadow.close()


def test_a_new_challenger_takes_the_place_of_the_one_before(house: House) -> None:
    house.counted("compared")
    house.point("9")
    house.counted("compared")
    assert [model.target.version for model in house.models] == ["8", "9"]
    assert house.models[0].closed.is_set()


def test_the_champion_is_not_compared_with_itself(house: House) -> None:
    house.point("7")
    house.counted("same_model")
    assert not house.models


@pytest.mark.parametrize("content", [None, "{"])
def test_without_a_challenger_nothing_is_computed(house: House, content: str | None) -> None:
    alias = house.registry / "aliases/challenger.json"
    alias.unlink()
    if content is not None:
        alias.write_text(content)
    house.counted("no_challenger")


def test_a_request_that_the_challenger_cannot_compute_is_counted(house: House) -> None:
    house.says = lambda _: None
    house.counted("failed")
    assert len(house.models) == 1 and not house.pairs()


def test_a_log_that_cannot_be_written_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="ACERTO_SHADOW_LOG"):
        shadow_of({}, registry=tmp_path, log_folder=tmp_path / "file")


def test_only_the_challenger_can_be_the_shadow() -> None:
    with pytest.raises(ConfigError, match="needed 'challenger'"):
        read_settings({"ACERTO_BUNDLE": "x", "ACERTO_SHADOW": "8"})
    assert read_shadow({}) == (False, None)
    assert read_shadow({"ACERTO_SHADOW": "challenger", "ACERTO_SHADOW_LOG": "x"}) == (True, Path("x"))


@pytest.mark.parametrize("frame", [b"", b"/v1/other\n2026-03-02T12:00:00Z\n{}", b"/v1/scores\nnow\n[]", b"\n\n\n"])
def test_a_frame_that_cannot_be_answered_is_answered_with_nothing(frame: bytes, brain: Any, schemas: Any) -> None:
    assert answered(frame, brain, schemas) == b""


def test_the_shadow_is_asked_about_the_moment_that_was_answered(brain: Any, schemas: Any, ask: Any) -> None:
    body = json.dumps({key: value for key, value in ask().items() if key != "as_of"}).encode()
    found = json.loads(answered(b"/v1/scores\n2026-03-02T12:00:00Z\n" + body, brain, schemas))
    assert found[0]["as_of"] == "2026-03-02 12:00:00+00:00"


def test_a_bundle_that_was_put_in_the_challengers_place_is_refused(bundle: Path) -> None:
    with pytest.raises(BundleError):
        read_here(bundle, seal="0" * 64)


def test_the_shadow_in_its_process_computes_to_the_bit_what_it_would_serve(
    serve: Any, schemas: Any, bundle: Path, next_bundle: Path, ask: Any, tmp_path: Path
) -> None:
    house = House(tmp_path)
    shutil.copytree(next_bundle, house.registry / "bundles/8")
    environ = {"ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": str(CONFIGS)}
    shadow = Shadow(
        house.registry, lines=DailyLines(house.folder, "shadow"),
        start=lambda target: Model(target, environ=environ),
    )  # fmt: skip
    engine = load_engine(Settings(bundle=bundle, configs=CONFIGS))
    with serve(create_app(schemas, load=lambda: engine, shadow=shadow)) as client:
        client.wait_until_ready()
        served = client.post("/v1/decisions", json=ask(explain="full")).json()["decisions"][0]
        until(lambda: bool(house.pairs()))
    (pair,) = house.pairs()
    own = load_engine(Settings(bundle=next_bundle, configs=CONFIGS))
    expected = handling.decisions(json.dumps(ask()).encode(), own, schemas).answers[0]
    assert pair.champion.p_pay["30d"] == served["p_pay_30d"]
    assert pair.challenger.p_pay["30d"] == expected["p_pay_30d"] != served["p_pay_30d"]
    assert (pair.challenger.action, pair.challenger.expected_net_value) == (
        expected["action"], expected["expected_net_value"],
    )  # fmt: skip
    assert compare([pair])[0].challenger == "8"
