"""Our own style and scripts, open to everybody; their names carry their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER: Final = Path(__file__).resolve().parent.parent / "static"


def address(name: str) -> str:
    """Where a file of ours is: its path, and a hash of what it holds now."""
    return f"/static/{name}?{hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]}"


class StaticFolder(StaticFiles):
    """The folder of static files."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """With a hash in the address a file may be kept for long; without, it is asked for again."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if scope.get("query_string") else "no-cache"
        )
        return response
