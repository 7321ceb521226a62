"""What a request costs before anything is computed: BentoML services that take JSON and give it back.

``bentoml serve hello_services:Plain``, with the settings of ``serving/service.py``: one worker, no metrics and no
access log. ``Plain`` uses ``@bentoml.api``, ``Mounted`` carries an ASGI app, as the service of this project does.
"""

from __future__ import annotations

import bentoml
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

_HOUR_S = 3600
_TRAFFIC = {"timeout": _HOUR_S}
_METRICS = {"enabled": False, "namespace": "bentoml_service"}
_LOGGING = {"access": {"enabled": False}}


@bentoml.service(name="plain", workers=1, traffic=_TRAFFIC, metrics=_METRICS, logging=_LOGGING)
class Plain:
    """A greeting, from the event loop and from a thread."""

    @bentoml.api(route="/async")
    async def greet(self, name: str) -> dict[str, str]:
        """On the event loop."""
        return {"hello": name}

    @bentoml.api(route="/sync")
    def greet_in_a_thread(self, name: str) -> dict[str, str]:
        """In a thread, as whatever computes has to be."""
        return {"hello": name}


app = FastAPI(openapi_url=None)


@app.post("/hello")
async def hello(request: Request) -> JSONResponse:
    """The same from an app that BentoML carries."""
    asked = await request.json()
    return JSONResponse({"hello": asked["name"]})


@bentoml.asgi_app(app, path="/app")
@bentoml.service(name="mounted", workers=1, traffic=_TRAFFIC, metrics=_METRICS, logging=_LOGGING)
class Mounted:
    """Carries ``app``."""
