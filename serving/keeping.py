"""What is kept of a decision that was taken: the answer as it was given, and what it rested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.clock import to_us
from serving.brain import Answer
from serving.inputs import inputs_of
from serving.ledgers import Batch
from serving.store.decision_log import Record

_PROBS = "action_probs"


def without_probs(answer: Answer, *, explain: str) -> Answer:
    """The answer as it was asked for: a full one alone tells the probability of every action."""
    if explain == "full":
        return answer
    return {name: value for name, value in answer.items() if name != _PROBS}


def answer_and_probs(told: Answer, *, explain: str) -> dict[str, Any]:
    """The part of a record that is computed: the answer as it was asked for, and the probability of every action."""
    return {"answer": without_probs(told, explain=explain), _PROBS: told.get(_PROBS, [])}


def records_of(
    batch: Batch, shown: Sequence[Answer], told: Sequence[Answer], *, as_of: datetime, beside: Mapping[str, object]
) -> Iterator[Record]:
    """The records of a batch of decisions.

    Parameters
    ----------
    shown : the answers as they are given
    told : the same with the probability of every action, which is kept in any case: without it no policy could be
        evaluated on the log
    beside : what is kept with each of them: ``explain`` and ``locale`` of the request, the ``legal_basis``, and the
        ``model_hash``

    Notes
    -----
    ``through`` is the number of the latest row in the store where the account's rows came from there: the same rows can
    be found again with it. ``inputs`` are the rows themselves, with which the decision can be computed again.
    """
    for answer, whole, debtor_id, inputs in zip(shown, told, batch.debtor_ids, inputs_of(batch), strict=True):
        probs = whole.get(_PROBS, [])
        content = {"answer": answer, _PROBS: probs, "through": batch.through, **beside, "inputs": inputs}
        yield Record.of(answer["decision_id"], answer["account_id"], debtor_id, to_us(as_of), content=content)
