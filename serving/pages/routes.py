"""Routes of the pages at ``/reports/``; a form is answered by the page that shows what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from decisioning.records import json_bytes
from serving import replaying, reviewing, storing
from serving.access.tokens import Scope, StoredKey
from serving.explaining import LOCALES, locale_of
from serving.handling import Pending, Reply
from serving.pages import comparing, forms
from serving.pages.record import Shown, factors_of, shown
from serving.pages.rendering import FILE_HEADERS, address, decision_path, html, rendered
from serving.pages.shelf import reports
from serving.parsing import FORM
from serving.problems import Problem
from serving.reception import tenant_of
from serving.storing import Intake

if TYPE_CHECKING:
    from serving.reception import Reception

_HOME, _LOOK_UP, _COMPARE, _ONE = (
    "/reports/",
    "/reports/decisions",
    "/reports/compare",
    "/reports/decisions/{decision_id}",
)
_FORMS = ("replay", "review", "outcome")
PAGES = frozenset({_HOME, _LOOK_UP, _COMPARE, _ONE, *(f"{_ONE}/{form}" for form in _FORMS)})
"""Routes whose failures are told as pages, too."""
_OURS = re.compile(r"[0-9a-f]{32}", re.ASCII)
"""An id of a decision, as they are made (``decisioning.assembly``)."""
_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)


@dataclass(frozen=True)
class Places:
    """Where the pages find things: a folder of reports, the registry, and the shadow's log; each may be absent."""

    reports: Path | None = None
    registry: Path | None = None
    shadow_log: Path | None = None


@dataclass(frozen=True)
class Desk:
    """What the routes of the pages share."""

    reception: Reception
    places: Places
    intake: Intake
    tokens: forms.FormTokens = field(default_factory=forms.FormTokens)


class ReportFiles(StaticFiles):
    """The files of reports, which a browser shows without running anything in them."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        """The file with the headers of ``FILE_HEADERS``; a PDF without, since a browser's own viewer has scripts."""
        found = super().file_response(*given, **named)
        if not isinstance(found, FileResponse) or not str(found.path).endswith(".pdf"):
            found.headers.update(FILE_HEADERS)
        return found


def add_pages(app: FastAPI, reception: Reception, places: Places) -> None:
    """Adds them to the app, and the files of the reports after them."""
    desk = Desk(reception, places, Intake.of(reception.schemas))
    _add_models(app, desk)
    _add_decisions(app, desk)
    _add_forms(app, desk)
    if places.reports is not None:
        app.mount("/reports", ReportFiles(directory=places.reports, check_dir=False), name="reports")


def problem_page(problem: Problem, request: Request) -> Response:
    """A refused request in words, with the status that it has anywhere."""
    locale = request.query_params.get("locale", LOCALES[0])
    # Of what was sent nothing comes back but an id that can be one of ours, so that there is a way to its page.
    decision_id = str(request.path_params.get("decision_id", ""))
    here = decision_path(decision_id) if _OURS.fullmatch(decision_id) else _LOOK_UP
    content = rendered(
        "problem.html", locale=locale if locale in LOCALES else LOCALES[0], here=here, problem=problem,
        status=str(problem.status), request_id=request.state.request_id,
    )  # fmt: skip
    found = html(content, status=problem.status)
    found.headers.update(problem.headers)
    return found


def may(request: Request, scope: Scope) -> bool:
    """Whether the request's key has a scope; without keys everybody who is answered has all."""
    key = _key(request)
    return key is None or key.may(frozenset({scope}))


def _key(request: Request) -> StoredKey | None:
    found: StoredKey | None = request.state.key
    return found


async def _page(desk: Desk, request: Request, make: Callable[[str], bytes]) -> Response:
    """A page in the language that is asked for, made in a thread when it is its turn."""
    locale = locale_of(request.query_params)
    found = await desk.reception.replied(request, lambda _: Reply(make(locale), []), has_body=False)
    return html(found.content)


def _add_models(app: FastAPI, desk: Desk) -> None:
    places, reception = desk.places, desk.reception

    @app.get(_HOME, include_in_schema=False)
    async def index(request: Request) -> Response:
        def make(locale: str) -> bytes:
            served = None if reception.brain is None else reception.brain.model()
            found = reports(places.reports, registry=places.registry, served=served) if places.reports else None
            return rendered("index.html", locale=locale, here=_HOME, reports=found)

        return await _page(desk, request, make)

    @app.get(_COMPARE, include_in_schema=False)
    async def compare(request: Request) -> Response:
        # The shadow's log does not say whose accounts it is about, so it is told as metrics are.
        told = may(request, "admin")

        def make(locale: str) -> bytes:
            log = places.shadow_log if told else None
            found = comparing.comparison(places.registry, shadow_log=log) if places.registry else None
            return rendered(
                "compare.html", locale=locale, here=_COMPARE, found=found, may_shadow=told, shadowed=bool(log),
                most_mib=comparing.MOST_LOG_BYTES >> 20,
            )  # fmt: skip

        return await _page(desk, request, make)


def _add_decisions(app: FastAPI, desk: Desk) -> None:
    @app.get(_LOOK_UP, include_in_schema=False)
    async def look_up(request: Request) -> Response:
        decision_id = request.query_params.get("id", "").strip()
        if not decision_id:
            return await _page(desk, request, lambda locale: rendered("lookup.html", locale=locale, here=_LOOK_UP))
        if not _OURS.fullmatch(decision_id):
            storing.refuse("unknown")
        return RedirectResponse(address(decision_path(decision_id), locale=locale_of(request.query_params)), 303)

    @app.get(_ONE, include_in_schema=False)
    async def decision(request: Request, decision_id: str) -> Response:
        return await _page(desk, request, lambda locale: _decision(desk, request, decision_id, locale=locale))


def _decision(
    desk: Desk, request: Request, decision_id: str, *, locale: str, replayed: Callable[[Shown], Any] | None = None
) -> bytes:
    """The page of a decision; ``replayed`` checks it again."""
    brain, store, key = desk.reception.ready(), desk.reception.room.needed(), _key(request)
    one = shown(decision_id, brain, store, locale=locale, tenant=tenant_of(request))
    again = replayed(one) if replayed else None
    done = request.query_params.get("done")
    return rendered(
        "decision.html", locale=locale, here=decision_path(decision_id), one=one, again=again,
        done=done if done in ("review", "outcome") else None, may_ingest=may(request, "ingest"),
        tokens={form: desk.tokens.make(form, decision_id, key=key) for form in _FORMS},
        now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _add_forms(app: FastAPI, desk: Desk) -> None:
    @app.post(f"{_ONE}/replay", include_in_schema=False)
    async def replay(request: Request, decision_id: str) -> Response:
        locale = locale_of(request.query_params)

        def work(body: bytes) -> Reply:
            _sent(desk, request, body, form="replay")
            page = _decision(desk, request, decision_id, locale=locale, replayed=partial(_checked, desk))
            return Reply(page, [])

        found = await desk.reception.replied(request, work, media=FORM)
        return html(found.content)

    @app.post(f"{_ONE}/review", include_in_schema=False)
    async def review(request: Request, decision_id: str) -> Response:
        def work(body: bytes) -> Pending:
            said = json_bytes(_sent(desk, request, body, form="review"))
            store = desk.reception.room.needed()
            return reviewing.review(decision_id, said, desk.intake, store, tenant=tenant_of(request))

        return await _written(desk, request, work, done="review")

    @app.post(f"{_ONE}/outcome", include_in_schema=False)
    async def outcome(request: Request, decision_id: str) -> Response:
        def work(body: bytes) -> Pending:
            said = _sent(desk, request, body, form="outcome")
            # A browser's field for a moment has no offset; the page says that it is UTC.
            at = said.get("at", "")
            said |= {"decision_id": decision_id, "at": f"{at}:00Z" if _MINUTE.fullmatch(at) else at}
            store = desk.reception.room.needed()
            return storing.outcome(json_bytes(said), desk.intake, store, tenant=tenant_of(request))

        return await _written(desk, request, work, done="outcome")


async def _written(desk: Desk, request: Request, work: Callable[[bytes], Pending], *, done: str) -> Response:
    """What a form asks for, then the decision's page: what was sent is not sent again when that is loaded again."""
    locale = locale_of(request.query_params)
    await desk.reception.replied(request, work, media=FORM)
    path = decision_path(request.path_params["decision_id"])
    return RedirectResponse(address(path, locale=locale, done=done), 303)


def _sent(desk: Desk, request: Request, body: bytes, *, form: str) -> dict[str, str]:
    """The fields of a form that was sent from its page; refused with 403 where it was not."""
    forms.check_site(request.headers.get("sec-fetch-site"))
    found = forms.fields_of(body)
    desk.tokens.check(found.pop(forms.TOKEN, ""), form, request.path_params["decision_id"], key=_key(request))
    return found


def _checked(desk: Desk, one: Shown) -> dict[str, Any]:
    """What computing a decision again tells, and its contributions where the record has none."""
    again = partial(
        replaying.recomputed, one.content, desk.reception.ready(), desk.reception.schemas,
        archive=desk.reception.archive,
    )  # fmt: skip
    try:
        found = replaying.compared(
            one.content, desk.reception.ready(), desk.reception.schemas, archive=desk.reception.archive
        )
    except Problem as problem:
        return {"refused": problem.detail}
    # Of a decision that comes out otherwise, they would explain another one.
    missing = one.factors is None and found["same"]
    return {**found, "factors": factors_of(again(explain="full"), one.words) if missing else None}
