"""A kept decision computed again from its record and its model, and compared byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from decisioning.records import json_bytes
from domain.clock import parse_moment
from domain.errors import BundleError, FeatureSchemaMismatchError
from serving.archive import Archive
from serving.brain import Answer, Brain, Explain
from serving.handling import Reply
from serving.inputs import batch_of
from serving.keeping import answer_and_probs
from serving.problems import Problem
from serving.schemas import Schemas
from serving.storing import content_of, known_id
from serving.tenants import DEFAULT_TENANT

if TYPE_CHECKING:
    from serving.store import Store

MOST_DIFFERENCES = 100


def replay(
    decision_id: str,
    brain: Brain,
    schemas: Schemas,
    *,
    store: Store,
    archive: Archive | None = None,
    tenant: str = DEFAULT_TENANT,
) -> Reply:
    """``GET /v1/decisions/{id}/replay``: ``differences`` are the places at which what is computed is not the record.

    Raises
    ------
    Problem : 404, 410, and 409 where it cannot be computed again, and why
    """
    content = content_of(store.decision(known_id(decision_id), tenant=tenant))
    return Reply(json_bytes(compared(content, brain, schemas, archive=archive)), [])


def compared(content: Mapping[str, Any], brain: Brain, schemas: Schemas, *, archive: Archive | None) -> dict[str, Any]:
    """What ``replay`` tells, of what a record holds; raises 409 as it does."""
    answer = content["answer"]
    explain = content.get("explain", "none")  # a record that does not say is refused as one without rows
    told = recomputed(content, brain, schemas, archive=archive, explain=explain)
    was, now = ({name: part[name] for name in ("answer", "action_probs")} for part in (
        content, answer_and_probs(told, explain=explain)
    ))  # fmt: skip
    return {
        "decision_id": answer["decision_id"],
        "same": json_bytes(was) == json_bytes(now),
        "model_version": answer["model_version"],
        "policy_version": answer["policy_version"],
        "differences": list(islice(differences(was, json.loads(json_bytes(now))), MOST_DIFFERENCES)),
    }


def recomputed(
    content: Mapping[str, Any], brain: Brain, schemas: Schemas, *, archive: Archive | None, explain: Explain
) -> Answer:
    """The decision of a record as its model takes it from its rows, with as much explanation as is asked for.

    Raises
    ------
    Problem : 409 where it cannot be computed again, and why
    """
    answer, inputs = content["answer"], content.get("inputs")
    if inputs is None:
        raise Problem(409, "the record was kept before its ledger was kept with it: it cannot be computed again")
    again = _engine(content, brain, archive)
    batch = batch_of(inputs, schemas.account_columns)
    told = again.decisions(
        batch, as_of=parse_moment(answer["decided_at"]), explain=explain, locale=content["locale"], commit=True
    )
    return told[batch.account_ids.index(answer["account_id"])]


def differences(was: Any, now: Any, place: str = "") -> Iterator[str]:
    """JSON pointers of the places at which two JSON values differ; of a part that one of them lacks, its own.

    >>> list(differences({"a": [1, 2], "b": 1}, {"a": [1, 3], "c": 1}))
    ['/a/1', '/b', '/c']
    """
    if isinstance(was, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*was, *now)):
            if name in was and name in now:
                yield from differences(was[name], now[name], f"{place}/{_escaped(name)}")
            else:
                yield f"{place}/{_escaped(name)}"
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from differences(one, other, f"{place}/{number}")
    elif json.dumps(was) != json.dumps(now):  # as they are written: 1 is not 1.0, and 0.0 is not -0.0
        yield place


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _engine(content: Mapping[str, Any], brain: Brain, archive: Archive | None) -> Brain:
    """What decided then: this desk, without the books of the day, over the model of the record."""
    answer, served = content["answer"], brain.model()
    if "resource_charge" in answer:
        raise Problem(409, "it was decided at the prices of its day, which are no part of the record")
    if answer["policy_version"] != served["policy_version"]:
        raise Problem(409, "it was decided under another policy_version; serve with those configs to compute it again")
    model = answer["model_version"], content["model_hash"]
    if model == (served["model_version"], served["model_hash"]):
        return brain.replayer()
    if archive is None:
        raise Problem(409, "it was decided by another model_version, and this service was given no registry")
    try:
        return brain.replayer(archive.bundle(model[0], model_hash=model[1]))
    except (BundleError, FeatureSchemaMismatchError) as error:
        code = error.code if isinstance(error, BundleError) else "schema"
        detail = f"it was decided by another model_version, whose bundle cannot be read again ({code})"
        raise Problem(409, detail) from None
