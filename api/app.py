"""The application: routes, pages, errors and headers, put together for given services."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from api import openapi, problems
from api.auth import Reader
from api.headers import SafeHeaders
from api.limits import BodyLimit
from api.pages import (
    docs,
    entry,
    errors,
    views_of_changes,
    views_of_cis,
    views_of_conflicts,
    views_of_evidence,
    views_of_impact,
    views_of_parked,
    views_of_problems,
    views_of_runs,
)
from api.pages.files import StaticFolder
from api.pages.rendering import Renderer
from api.routes import (
    access,
    asking,
    cis,
    conflicts,
    events,
    evidence,
    health,
    history,
    impact,
    parked,
    problems_of_data,
    scans,
)
from api.wiring import Services

_BODY_BYTES = 16 * 1024 * 1024
_API = (
    cis.router,
    asking.router,
    impact.router,
    conflicts.router,
    problems_of_data.router,
    events.router,
    evidence.router,
    history.router,
    scans.router,
    parked.router,
    access.router,
    health.router,
)
_PAGES = (
    entry.router,
    views_of_cis.router,
    views_of_impact.router,
    views_of_changes.router,
    views_of_evidence.router,
    views_of_conflicts.router,
    views_of_parked.router,
    views_of_problems.router,
    views_of_runs.router,
    docs.router,
)


def create_app(services: Services) -> FastAPI:
    """The application. Nothing is opened until a request needs it. Health is also at `/health` and `/ready`."""
    app = FastAPI(
        title="CMDB",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # Its redirects are built from the Host header, which is whatever somebody sent.
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.state.renderer = Renderer(services.settings.language)
    api = APIRouter(prefix=openapi.PREFIX)
    for router in _API:
        api.include_router(router)
    app.include_router(api)
    app.state.api_routes = [route for router in _API for route in router.routes if isinstance(route, APIRoute)]

    def description(reader: Reader) -> dict[str, Any]:
        """This description."""
        del reader
        return openapi.describe(app)

    app.add_api_route("/api/v1/openapi.json", description, include_in_schema=False)
    app.add_api_route("/openapi.json", description, include_in_schema=False)
    for router in (*_PAGES, health.router):
        app.include_router(router, include_in_schema=False)
    app.mount("/static", StaticFolder(), name="static")
    problems.install(app, errors.draw)
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=6)
    app.add_middleware(BodyLimit, limit=_BODY_BYTES)
    app.add_middleware(SafeHeaders)
    return app
