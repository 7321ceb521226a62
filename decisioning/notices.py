"""What a decision has to say about itself: assumptions it rests on, and what it had to do without."""

from __future__ import annotations

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from features.schema import missing_tables

_TEXTS = {
    "priors": (
        "baseia-se em priors configurados: nenhum modelo de resposta foi aprendido",
        "rests on configured priors: no response model was learned",
    ),
    "table": (
        "a tabela {} está ausente: as variáveis que dependem dela ficam sem valor",
        "the table {} is absent: the features that need it have no value",
    ),
    "limits": (
        "capacidades e orçamentos configurados não limitam esta escolha: a conta foi decidida sozinha",
        "configured capacities and budgets do not limit this choice: the account was decided on alone",
    ),
    "money": (
        "o modelo tem uma forma desconhecida: o valor esperado não pode ser decomposto",
        "the model is of a form that is not known here: the expected value cannot be split",
    ),
    "nothing_owed": ("nada é devido nesta conta: aguardar", "nothing is owed on this account: waiting"),
}


def page_notices(
    bundle: ModelBundle, desk: Desk, *, present: frozenset[str], locale: str, limited: bool
) -> tuple[str, ...]:
    """Notices that every decision of a run carries.

    ``present`` are the tables that were given; ``limited`` says whether capacities and budgets were kept.
    """
    found = [] if bundle.response is not None else [say("priors", locale)]
    found += [say("table", locale).format(table) for table in missing_tables(bundle.schema, present)]
    if desk.config.is_limited and not limited:
        found.append(say("limits", locale))
    return tuple(found)


def say(name: str, locale: str) -> str:
    """One notice in ``pt-BR`` or ``en``."""
    return _TEXTS[name][1 if locale == "en" else 0]
