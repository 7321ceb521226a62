"""The FastAPI app: routes, limits and readiness. It knows nothing of BentoML, which only carries it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from domain.errors import StoreError
from serving import answers, handling, metrics
from serving.access.gate import Gate
from serving.access.keyring import KeyRing
from serving.access.rates import Rates
from serving.admission import Door
from serving.archive import Archive
from serving.brain import Brain
from serving.connections import Patience, running_server
from serving.documenting import problems
from serving.drain import Drain
from serving.envelope import Envelope
from serving.logs import log, where
from serving.openapi import body_of, document
from serving.pages.api_page import docs_page
from serving.pages.refused import refusal
from serving.pages.routes import PAGES, Places, add_pages, problem_page
from serving.problems import Problem, problem_response
from serving.reception import Reception
from serving.refusals import code_of
from serving.routes_after import add_after_routes
from serving.routes_store import add_store_routes
from serving.schemas import Schemas
from serving.settings import Limits
from serving.shadow import Shadow
from serving.storeroom import Storeroom
from serving.swapping import Champion, follow, tell
from serving.tallies import EVERY_S, Tallies
from serving.warmup import warm_up

if TYPE_CHECKING:
    from serving.store import Store

VERSION = "1"
_ABOUT = (
    "Scores, next best actions and reasons for debt collection. Times are RFC 3339 with offset, money has two decimals."
)


def create_app(
    schemas: Schemas,
    *,
    load: Callable[[], Brain] | None = None,
    open_store: Callable[[], Store] | None = None,
    champion: Champion | None = None,
    shadow: Shadow | None = None,
    archive: Archive | None = None,
    drain: Drain | None = None,
    places: Places | None = None,
    docs_assets: Path | None = None,
    limits: Limits | None = None,
    keys: bool = False,
    tallies: Tallies | None = None,
) -> FastAPI:
    """The app.

    Parameters
    ----------
    load : reads the model, in a thread at start; until it has returned and its first answers are computed, the service
        is alive and not ready
    open_store : opens the store, in a thread at start; without it nothing is kept, and accounts bring their ledgers
    champion : what to follow once that was tried; without it the model stays the one that was loaded
    archive : has the models of before, for whoever asks to compute a decision again
    shadow : compares another model on the requests that were answered
    drain : how it ends on SIGTERM; without it, as the web server does
    places : where the pages at ``/reports/`` find reports, registry and the shadow's log
    docs_assets : a folder with ``swagger-ui-bundle.js`` and ``swagger-ui.css``, so that ``/docs`` needs no network
    limits : how much is taken at a time, and how often a client may come
    keys : whether a key of the store is needed; without, this machine alone is answered
    tallies : what was scored, which the metrics are told
    """
    limits = limits or Limits()
    reception = Reception(schemas, limits, room=Storeroom(open_store))
    reception.champion, reception.shadow, reception.archive, reception.tallies = champion, shadow, archive, tallies
    ending = drain or Drain(0.0)

    app = FastAPI(
        title="Acerto", version=VERSION, description=_ABOUT, lifespan=lambda _: _running(reception, load, ending),
        docs_url=None, redoc_url=None, openapi_url="/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip
    _add_routes(app, reception)
    add_store_routes(app, reception)
    add_after_routes(app, reception)
    _add_health(app, reception, ending)
    _add_docs(app, docs_assets)
    add_pages(app, reception, places or Places())
    _add_errors(app)
    app.openapi = cache(partial(document, app, schemas))  # type: ignore[method-assign]
    routes = frozenset(str(getattr(route, "path", "")) for route in app.routes)
    keyring = KeyRing(lambda: reception.room.needed().keys()) if keys else None
    app.add_middleware(Gate, keyring=keyring, rates=Rates(limits.rate), page=refusal)
    app.add_middleware(Envelope, routes=routes, ending=lambda: ending.begun)
    app.add_middleware(Door, admission=reception.admission, routes=routes, ending=lambda: ending.begun)
    return app


@contextlib.asynccontextmanager
async def _running(reception: Reception, load: Callable[[], Brain] | None, ending: Drain) -> AsyncIterator[None]:
    """From the start of the service to its end."""
    server = running_server()
    ending.listen()
    loading = asyncio.create_task(_serve(reception, load)) if load else None
    if reception.shadow:
        reception.shadow.start()
    telling = asyncio.create_task(_tell_often(reception.tallies)) if reception.tallies else None
    async with reception.room.opened(), Patience().watching(server):
        yield
    for task in (loading, telling):
        if task:
            task.cancel()
    if reception.shadow:
        await anyio.to_thread.run_sync(reception.shadow.close)


async def _tell_often(tallies: Tallies) -> None:
    while True:
        await anyio.sleep(EVERY_S)
        await anyio.to_thread.run_sync(tallies.tell)


async def _serve(reception: Reception, load: Callable[[], Brain]) -> None:
    """Loads the model, and follows the champion where there is one to follow."""
    tried = partial(_loaded, load, reception.schemas)
    if reception.champion is not None:
        reception.champion.moved()  # what is about to be read is no news
    reception.brain = await anyio.to_thread.run_sync(tried)
    if reception.champion is not None:
        await follow(reception, reception.champion, tried)


def _loaded(load: Callable[[], Brain], schemas: Schemas) -> Brain | None:
    try:
        brain = load()
        warm_up(brain, schemas)
    except Exception as error:  # whatever it is, the worker stays alive, unready, and says why
        metrics.SWAPS.labels(result=code_of(error)).inc()
        log.error("not ready", error=where(error), code=code_of(error), reason=str(error))
        return None
    metrics.READY.set(1)
    tell(brain)
    return brain


def _add_routes(app: FastAPI, reception: Reception) -> None:
    limits = (400, 404, 408, 409, 410, 413, 415, 422, 500, 503)

    @app.post(
        "/v1/scores", summary="Score accounts", tags=["decisions"], openapi_extra=body_of("ScoresRequest"),
        response_model=None, responses={200: {"model": answers.ScoresAnswer}, **problems(*limits)},
    )  # fmt: skip
    async def scores(request: Request) -> Response:
        """`p_pay` per horizon and expected recovery for 1 to 1000 accounts, each given as a ledger or by its id."""
        return await reception.answer(request, handling.scores)

    @app.post(
        "/v1/decisions", summary="Decide on accounts", tags=["decisions"], openapi_extra=body_of("DecisionsRequest"),
        response_model=None, responses={200: {"model": answers.DecisionsAnswer}, **problems(*limits)},
    )  # fmt: skip
    async def decisions(request: Request) -> Response:
        """The decision record of 1 to 1000 accounts, each a ledger or an id; kept unless `commit: false`."""
        return await reception.answer(request, handling.decisions)

    @app.get(
        "/v1/model", summary="What is being served", tags=["model"], response_model=None,
        responses={200: {"model": answers.ModelAnswer}, **problems(500, 503)},
    )  # fmt: skip
    async def model() -> JSONResponse:
        """Versions, hash, schema fingerprint and policy version, and the promoted version where it was refused."""
        refused = reception.champion.refused if reception.champion else None
        return JSONResponse({**reception.ready().model(), "refused": refused.as_json() if refused else None})


def _add_health(app: FastAPI, reception: Reception, ending: Drain) -> None:
    @app.get(
        "/livez", summary="Alive", tags=["health"], response_model=None,
        responses={200: {"model": answers.Health}, **problems(500, free=True)},
    )  # fmt: skip
    async def livez() -> JSONResponse:
        """The worker answers."""
        return JSONResponse({"status": "alive"})

    @app.get(
        "/readyz", summary="Ready", tags=["health"], response_model=None,
        responses={200: {"model": answers.Health}, **problems(500, 503, free=True)},
    )  # fmt: skip
    async def readyz() -> JSONResponse:
        """The model is loaded, verified and warm, the store is open, and the service is not about to end."""
        if ending.begun:
            raise Problem(503, "the service is about to end; send requests elsewhere")
        reception.ready()
        reception.room.store()
        return JSONResponse({"status": "ready"})

    @app.get(
        "/metrics", summary="Prometheus metrics", tags=["health"], response_class=PlainTextResponse,
        response_model=None, responses=problems(500),
    )  # fmt: skip
    def exposition() -> Response:
        """Requests, queue, actions chosen, refusals by rule, drift of scores and features, fallbacks."""
        reception.tell()
        return Response(metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})


def _add_docs(app: FastAPI, docs_assets: Path | None) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return docs_page(local=docs_assets is not None)

    if docs_assets is not None:
        app.mount("/docs/assets", StaticFiles(directory=docs_assets), name="docs-assets")


def _add_errors(app: FastAPI) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        problem = error if isinstance(error, Problem) else _as_problem(error)
        route = getattr(request.scope.get("route"), "path", "other")
        metrics.PROBLEMS.labels(route=route, problem=problem.code).inc()
        if route in PAGES:
            return problem_page(problem, request)
        return problem_response(problem, request_id=request.state.request_id)

    for kind in (Problem, StoreError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, refused)


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, HTTPException):
        # The framework's own details may hold the path; what is not there is said without it.
        allowed = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
        return Problem(error.status_code, "see /docs for what is here", headers=allowed)
    if isinstance(error, StoreError):
        return Problem(503, str(error))
    return Problem(400, "the body ended before it was whole")
