"""Whether the server lives, and whether it can answer: open to everybody, and telling nothing else."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.auth import ServicesOf

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready", responses={503: {"description": "A store does not answer in time."}})
def ready(services: ServicesOf, response: Response) -> dict[str, str]:
    """Both stores answer."""
    if services.readiness.is_ready():
        return {"status": "ok"}
    response.status_code = 503
    return {"status": "unavailable"}
