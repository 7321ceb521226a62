"""Routes of what is kept: rows that happen, what became of decisions, and decisions by their id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import Response

from serving import answers, storing
from serving.documenting import problems
from serving.openapi import body_of
from serving.reception import tenant_of

if TYPE_CHECKING:
    from serving.reception import Reception

_LIMITS = (400, 404, 408, 409, 410, 413, 415, 422, 500, 503)


def add_store_routes(app: FastAPI, reception: Reception) -> None:
    """Adds them to the app; without a store they answer 503."""
    intake = storing.Intake.of(reception.schemas)
    names = [model.__name__ for model in intake.rows.values()]

    @app.post(
        "/v1/events", summary="Store rows", tags=["store"], openapi_extra=body_of(*names),
        response_model=None, responses={200: {"model": answers.EventsAnswer}, **problems(*_LIMITS)},
    )  # fmt: skip
    async def events(request: Request) -> Response:
        """Rows of a canonical table, all of them or none; a row that is there already counts once."""
        store, tenant = reception.room.needed(), tenant_of(request)
        return await reception.take(request, lambda body: storing.events(body, intake, store, tenant=tenant))

    @app.post(
        "/v1/outcomes", summary="Say what became of a decision", tags=["store"],
        openapi_extra=body_of("OutcomeRequest"), response_model=None,
        responses={200: {"model": answers.OutcomeAnswer}, **problems(*_LIMITS)},
    )  # fmt: skip
    async def outcomes(request: Request) -> Response:
        """It was sent, failed, was suppressed or overridden, or expired; money and responses are events."""
        store, tenant = reception.room.needed(), tenant_of(request)
        return await reception.take(request, lambda body: storing.outcome(body, intake, store, tenant=tenant))

    @app.get(
        "/v1/decisions/{decision_id}", summary="A decision that was taken", tags=["decisions"], response_model=None,
        responses={200: {"model": answers.Decision}, **problems(404, 410, 500, 503)},
    )  # fmt: skip
    async def decision(request: Request, decision_id: str) -> Response:
        """The latest record of it, as it was answered."""
        store = reception.room.needed()
        tenant = tenant_of(request)
        return await reception.take(
            request, lambda _: storing.decision(decision_id, store, tenant=tenant), has_body=False
        )
