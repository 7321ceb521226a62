"""What a client is refused with: one kind for each status of the API, with what the problem said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from domain.errors import AcertoError
from serving.answers import Place, ProblemAnswer

if TYPE_CHECKING:
    import httpx


class ServiceUnreachableError(AcertoError):
    """No answer came, as often as it was tried; whether there was an effect is not known."""


class RefusedError(AcertoError):
    """The service refused: ``status``, the problem's ``code``, its ``errors`` by JSON pointer, and ``request_id``."""

    def __init__(self, status: int, *, code: str, detail: str, errors: list[Place], request_id: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.errors, self.request_id = status, code, errors, request_id


class NotAllowedError(RefusedError):
    """401 or 403: no key that is good, or one without the scope."""


class NotFoundError(RefusedError):
    """404: an account by its place, or a decision, that is not known."""


class StoredOtherwiseError(RefusedError):
    """409: what is stored says something else; or a request of the same key took longer than was waited for."""


class ForgottenError(RefusedError):
    """410: the debtor was forgotten."""


class TooLargeError(RefusedError):
    """413: send less at a time."""


class UnfitError(RefusedError):
    """400, 415 or 422: the request does not fit the contract, at the places of ``errors``."""


class BusyError(RefusedError):
    """429 or 503: asked to come again, more often or later than the client's ``Retries`` wait."""


_KINDS: dict[int, type[RefusedError]] = {
    400: UnfitError, 401: NotAllowedError, 403: NotAllowedError, 404: NotFoundError, 409: StoredOtherwiseError,
    410: ForgottenError, 413: TooLargeError, 415: UnfitError, 422: UnfitError, 429: BusyError, 503: BusyError,
}  # fmt: skip


def refusal_of(answer: httpx.Response) -> RefusedError:
    """The refusal that an answer is, also where it comes from a proxy and is no problem of this API."""
    kind = _KINDS.get(answer.status_code, RefusedError)
    try:
        problem = ProblemAnswer.model_validate_json(answer.content, extra="ignore")
    except ValidationError:
        detail = "the answer is no problem of this API; see what stands between it and the client"
        return kind(answer.status_code, code="unknown", detail=detail, errors=[], request_id="")
    code = problem.type.rpartition(":")[2]
    return kind(
        answer.status_code, code=code, detail=problem.detail, errors=problem.errors, request_id=problem.request_id
    )
