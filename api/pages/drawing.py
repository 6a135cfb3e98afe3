"""What every page needs: who reads it, and a renderer."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.pages.rendering import Renderer


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


Drawing = Annotated[Renderer, Depends(_renderer)]
