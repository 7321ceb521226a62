"""Routes of what follows on a decision: may it still be carried out, why it was taken, and whether it stands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import Response

from serving import answers_after as answers
from serving import explaining, permitting, replaying, reviewing
from serving.answers import OutcomeAnswer
from serving.documenting import problems
from serving.openapi import body_of
from serving.reception import tenant_of
from serving.storing import Intake

if TYPE_CHECKING:
    from serving.reception import Reception


def add_after_routes(app: FastAPI, reception: Reception) -> None:
    """Adds them to the app; without a store they answer 503."""
    _add_permits(app, reception)
    _add_explanation(app, reception)
    _add_replay(app, reception)
    _add_review(app, reception)


def _add_permits(app: FastAPI, reception: Reception) -> None:
    @app.post(
        "/v1/permits", summary="May decisions still be carried out", tags=["decisions"],
        openapi_extra=body_of("PermitsRequest"), response_model=None,
        responses={
            200: {"model": answers.PermitsAnswer}, **problems(400, 404, 408, 410, 413, 415, 422, 500, 503),
        },
    )  # fmt: skip
    async def permits(request: Request) -> Response:
        """Is each of 1 to 1000 kept decisions still allowed, and still worth it? Asked just before the contact."""
        brain, store, tenant = reception.ready(), reception.room.needed(), tenant_of(request)
        return await reception.take(
            request, lambda body: permitting.permits(body, brain, reception.schemas, store=store, tenant=tenant)
        )


def _add_explanation(app: FastAPI, reception: Reception) -> None:
    @app.get(
        "/v1/decisions/{decision_id}/explanation", summary="A decision in words", tags=["decisions"],
        openapi_extra={"parameters": [explaining.LOCALE]}, response_model=None,
        responses={200: {"model": answers.ExplanationAnswer}, **problems(404, 410, 422, 500, 503)},
    )  # fmt: skip
    async def explanation(request: Request, decision_id: str) -> Response:
        """Why it was taken: for the debtor, for whoever talks with them, and for an auditor."""
        brain, store, tenant = reception.ready(), reception.room.needed(), tenant_of(request)
        locale = explaining.locale_of(request.query_params)
        return await reception.take(
            request,
            lambda _: explaining.explanation(decision_id, brain, store, locale=locale, tenant=tenant),
            has_body=False,
        )


def _add_replay(app: FastAPI, reception: Reception) -> None:
    @app.get(
        "/v1/decisions/{decision_id}/replay", summary="Compute a decision again", tags=["decisions"],
        response_model=None,
        responses={200: {"model": answers.ReplayAnswer}, **problems(404, 409, 410, 500, 503)},
    )  # fmt: skip
    async def replay(request: Request, decision_id: str) -> Response:
        """From its record and its model: is it the same, byte for byte, and where is it not?"""
        brain, store, tenant = reception.ready(), reception.room.needed(), tenant_of(request)
        again = partial(
            replaying.replay, decision_id, brain, reception.schemas,
            store=store, archive=reception.archive, tenant=tenant,
        )  # fmt: skip
        return await reception.take(request, lambda _: again(), has_body=False)


def _add_review(app: FastAPI, reception: Reception) -> None:
    intake = Intake.of(reception.schemas)

    @app.post(
        "/v1/decisions/{decision_id}/review", summary="Ask for a review, or say what came of it", tags=["decisions"],
        openapi_extra=body_of("ReviewRequest"), response_model=None,
        responses={200: {"model": OutcomeAnswer}, **problems(400, 404, 408, 409, 410, 413, 415, 422, 500, 503)},
    )  # fmt: skip
    async def review(request: Request, decision_id: str) -> Response:
        """A person looks at the decision again (LGPD, art. 20); it is kept before it is answered."""
        store, tenant = reception.room.needed(), tenant_of(request)
        return await reception.take(
            request, lambda body: reviewing.review(decision_id, body, intake, store, tenant=tenant)
        )
