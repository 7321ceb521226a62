"""At which values of an account's features a model's answer can change: the thresholds of its trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from decisioning.candidates import told_by
from decisioning.models import PaymentModel
from decisioning.offsets import OffsetHead
from decisioning.response import AnyHead, Head, ResponseModel
from decisioning.tree_text import CATEGORICAL
from decisioning.tree_walk import Nodes
from decisioning.trees import Trees
from decisioning.twin import BlendedHead
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]


def levels_of(response: ResponseModel | None, payment: PaymentModel, schema: FeatureSchema) -> Mapping[int, Floats]:
    """Thresholds by column of the account's features, rising and distinct; a column that nothing asks about has none.

    What an action feature is taken from counts for the feature of the account. Without a response model the explained
    horizon decides.
    """
    names = () if response is None else response.names
    heads = (Trees.of(payment.boosters[payment.explained]).nodes,) if response is None else _nodes(response)
    found: dict[int, set[float]] = {}
    for nodes in heads:
        asked = (nodes.kind & CATEGORICAL) == 0
        for column, threshold in zip(nodes.feature[asked].tolist(), nodes.threshold[asked].tolist(), strict=True):
            of_account = column < len(schema.names)
            for place in (column,) if of_account else told_by(schema, names[column - len(schema.names)]):
                found.setdefault(place, set()).add(threshold)
    return {column: np.array(sorted(levels)) for column, levels in found.items()}


def _nodes(response: ResponseModel) -> Iterator[Nodes]:
    for head in response.heads.values():
        yield from _of_head(head)


def _of_head(head: AnyHead) -> Iterator[Nodes]:
    if isinstance(head, OffsetHead):
        yield from _of_head(head.head)
    elif isinstance(head, Head | BlendedHead) and head.booster is not None:
        yield head.trees.nodes
        if isinstance(head, BlendedHead):
            yield head.twin.trees.nodes
