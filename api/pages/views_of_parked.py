"""Pages of what is parked: the questions, one of them, and the form that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import questions
from api.auth import FormOperator, Principal, Reader, ServicesOf
from api.pages.catalogue import Texts
from api.pages.drawing import Drawing
from api.routes.parked import QUESTION
from api.wiring import Services
from cmdb.inventory import Refused
from cmdb.model import ModelError
from operations.tokens import Role

router = APIRouter(default_response_class=HTMLResponse)

_ANSWERED_SHOWN = 100


@router.get("/parked")
def parked(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing) -> Response:
    """The open questions, each with its form, and those that were answered last."""
    found = [questions.brief(one) for one in services.inventory.parked(finished=True)]
    return drawing.page(
        request,
        "parked.html",
        reader,
        **of_questions(services, drawing.texts(request), reader),
        answered=[one for one in found if one["answer"] != "open"][:_ANSWERED_SHOWN],
    )


@router.get("/parked/{question}")
def one(
    request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, question: QUESTION
) -> Response:  # fmt: skip
    """One question, with what a yes would end."""
    return _page(request, services, drawing, reader, question)


@router.post("/parked/{question}")
def answer(
    request: Request,
    services: ServicesOf,
    drawing: Drawing,
    operator: FormOperator,
    question: QUESTION,
    answer: Annotated[str, Form(pattern="^(yes|no)$")],
    reason: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Answer it, and show what became of it."""
    try:
        services.inventory.answer_parked(question, yes=answer == "yes", by=operator.name, reason=reason)
    except (ModelError, Refused) as error:
        status = 409 if isinstance(error, Refused) else 422
        return _page(request, services, drawing, operator, question, status, str(error))
    return RedirectResponse(f"/parked/{question}", status_code=303)


def of_questions(services: Services, texts: Texts, reader: Principal) -> dict[str, Any]:
    """What the cards of the open questions are drawn from, on the home page too."""
    return {
        "open": [questions.brief(one) for one in services.inventory.parked()],
        "kind_word": kind_words(texts),
        "csrf": reader.csrf if reader.role.covers(Role.OPERATOR) else None,
    }


def kind_words(texts: Texts) -> Callable[[str], str]:
    """The word for a kind of claim: a relation, a component, or the class of what is named."""

    def word(kind: str) -> str:
        group = next((one for one in ("relation", "component", "class") if f"{one}.{kind}" in texts.texts), "class")
        return texts.word(group, kind)

    return word


def _page(
    request: Request, services: Services, drawing: Drawing, reader: Principal, question: str, status: int = 200,
    wrong: str | None = None,
) -> Response:  # fmt: skip
    found = questions.full(services.inventory, services.inventory.parked_question(question))
    return drawing.page(
        request,
        "parked_one.html",
        reader,
        status,
        question=found,
        wrong=wrong,
        kind_word=kind_words(drawing.texts(request)),
        csrf=reader.csrf if reader.role.covers(Role.OPERATOR) else None,
    )
