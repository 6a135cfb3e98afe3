"""What the API takes and answers of impact, as pydantic models with examples; `api.impacts` makes the same words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.routes.shapes import Strict, Text


class ChangeQuestion(Strict):
    """Texts as on the command line: ids, identifiers, names that are unique, `CI[PORT]`, `TYPE:FROM..TO`."""

    what: list[Text] = Field(min_length=1, max_length=1000, examples=[["core-a"]])
    kind: str = Field(max_length=100, examples=["reboot"])
    down: list[Text] = Field(default=[], max_length=1000, examples=[["ups-1"]])
    restarts: bool = False
    at: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, examples=["42"], description="a revision, or an ISO time (UTC where it names no zone), or now"
    )
    wait_for: int | None = Field(default=None, ge=0, le=2**62, description="a revision that must be in the answer")


class ImpactQuestion(ChangeQuestion):
    """A question, and which of its rows are wanted; the totals stay those of the whole answer."""

    limit: int = Field(default=100, ge=1, le=1000, description="at most so many rows of each list")
    next: Annotated[str, Field(max_length=4000)] | None = Field(
        default=None, description="a cursor of the page before, with the same question"
    )
    level: list[str] = Field(default=[], max_length=5, examples=[["down", "degraded"]])
    cls: list[str] = Field(default=[], alias="class", max_length=50, examples=[["device"]])
    site: Text | None = Field(default=None, examples=["D01"], description="a building, or - for none that is known")
    who: bool = Field(default=True, description="false: without whom it concerns, for which many documents are read")


class NextFailuresQuestion(ChangeQuestion):
    """A question, and of which CIs the next failures are wanted: by default of the services of its answer."""

    of: list[Text] = Field(default=[], max_length=1000, examples=[["shop"]])
    seconds: float = Field(default=10.0, ge=0, le=30, description="how long to look; what is cut short says so")


class StandingOut(BaseModel):
    """`up`, `at_risk`, `degraded` or `down`; `kept` or `unprotected`; `kept` or `unmanaged`."""

    availability: str = Field(examples=["up"])
    protection: str = Field(examples=["kept"])
    management: str = Field(examples=["kept"])


class AffectedOut(StandingOut):
    """A CI that the change makes worse on some axis. `own`: at risk by itself, or because of what it needs."""

    id: str = Field(examples=["ci-13"])
    cls: str = Field(alias="class", examples=["server"])
    name: str = Field(examples=["web1"])
    was: StandingOut
    distance: int | None = Field(examples=[1])
    because: list[dict[str, Any]] = Field(
        examples=[[{"axis": "availability", "kind": "only_way", "text": "newly the only way to all gateways: core-b"}]]
    )
    own: bool | None = None


class UnknownOut(BaseModel):
    """A CI of which nobody can tell, and why."""

    id: str = Field(examples=["ci-14"])
    cls: str = Field(alias="class", examples=["storage"])
    name: str = Field(examples=["array-1"])
    reason: str = Field(examples=["missing since 2026-01-02 03:04 UTC"])


class QuestionById(BaseModel):
    """The question by ids: sent again as it is, it has the same answer."""

    what: list[str] = Field(examples=[["ci-12", "rel-7"]])
    kind: str = Field(examples=["reboot"])
    down: list[str] = Field(examples=[["ci-3"]])
    restarts: bool = Field(examples=[False])
    at: str = Field(examples=["42"])


class ItemOut(BaseModel):
    id: str = Field(examples=["ci-13"])
    cls: str = Field(alias="class", examples=["server"])
    name: str = Field(examples=["web1"])


class TallyOut(BaseModel):
    """How many CIs are worse, and how; one may be so in several ways."""

    affected: int = Field(examples=[3])
    down: int = Field(examples=[1])
    degraded: int = Field(examples=[2])
    at_risk: int = Field(examples=[0])
    unprotected: int = Field(examples=[0])
    unmanaged: int = Field(examples=[0])


class ConcernedOut(StandingOut, ItemOut):
    """An affected service or application; `values` are its sla, audience, criticality, owner and contact."""

    was: StandingOut
    values: dict[str, str] = Field(examples=[{"sla": "gold", "audience": "everybody"}])
    owners: list[str] = Field(examples=[["web team"]])


class ConcernedList(BaseModel):
    """The worst of them; `more` are counted only."""

    counts: TallyOut
    listed: list[ConcernedOut]
    more: int = Field(examples=[0])


class GroupOut(BaseModel):
    """An owner or a building. `id` is null for an owner that is no team; `worst` names some, `more` are counted."""

    id: str | None = Field(examples=["ci-20"])
    name: str = Field(examples=["web team"])
    counts: TallyOut
    values: dict[str, str] = Field(examples=[{"email": "web@example.com", "phone": "+49 30 1"}])
    worst: list[ItemOut]
    more: int = Field(examples=[0])


class OwnerList(BaseModel):
    listed: list[GroupOut]
    more: int = Field(examples=[0])
    unowned: TallyOut


class SiteList(BaseModel):
    listed: list[GroupOut]
    more: int = Field(examples=[0])
    nowhere: TallyOut


class WhoOut(BaseModel):
    """Whom the answer concerns, the worst first."""

    services: ConcernedList
    applications: ConcernedList
    owners: OwnerList
    sites: SiteList


class StaleOut(BaseModel):
    """A relation that decided, and that nobody confirmed in time."""

    id: str = Field(examples=["rel-7"])
    type: str = Field(examples=["connects_to"])
    source: ItemOut
    target: ItemOut
    since: str = Field(examples=["stale since 2026-01-02"])


class NextOut(BaseModel):
    """Cursors; null where a list ends. The page of one has no rows of the other."""

    affected: str | None
    unknown: str | None


class ImpactAnswer(BaseModel):
    """Whoever the change makes worse, whoever is unknown, and counts that add up.

    `head` is the coverage in one line, `hash` covers who is affected, how, and who is unknown, `rules` names the
    version of model and rules. `assumed` counts the CIs whose reasons hang on an assumed redundancy.
    """

    revision: int = Field(examples=[42])
    rules: str = Field(examples=["5f2c"])
    hash: str = Field(examples=["9c01"])
    head: str = Field(examples=["143 affected, 12 unknown: 9 never logged in, 3 stale"])
    question: QuestionById
    counts: dict[str, int] = Field(examples=[{"cis": 60, "affected": 4, "unknown": 1, "unaffected": 55}])
    unknown_because: dict[str, int] = Field(examples=[{"missing": 1}])
    assumed: int = Field(examples=[0])
    notes: list[str]
    stale: list[StaleOut]
    stale_in_all: int = Field(examples=[0])
    temporary: bool = False
    who: WhoOut | None
    affected: list[AffectedOut]
    unknown: list[UnknownOut]
    next: NextOut


class VouchedOut(BaseModel):
    """Who says that there is a relation: `by` the person who declared it, `evidence` the reply it came from."""

    source: str = Field(examples=["10.0.0.1"])
    section: str = Field(examples=["snmp.lldp"])
    by: str | None = Field(examples=[None])
    since: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    confirmed: str = Field(examples=["2026-02-02T03:04:05.678000Z"])
    age_s: int = Field(examples=[86400], description="seconds since it was last confirmed")
    stale: bool = Field(examples=[False])
    evidence: str | None = Field(examples=["9c01"])


class RelationSaid(BaseModel):
    id: str = Field(examples=["rel-7"])
    type: str = Field(examples=["powered_by"])
    source: ItemOut
    target: ItemOut
    key: dict[str, Any] = Field(examples=[{"feed": "A"}])
    said: list[VouchedOut]


class StepOut(ItemOut):
    """A step from the first cause to the CI; `relations` lead to it from the step before."""

    state: str = Field(examples=["down"])
    relations: list[str] = Field(examples=[["rel-7"]])


class CableOut(BaseModel):
    id: str = Field(examples=["rel-7"])
    name: str = Field(examples=["connects_to:web1[eth0]..access-1[Gi1/1]"])


class NextFailuresOut(BaseModel):
    """Each of these alone takes `of` down after the change, and would not have before. Where there are many, the first
    are named and all are counted."""

    of: ItemOut
    cis: list[ItemOut]
    cis_in_all: int = Field(examples=[1])
    cables: list[CableOut]
    cables_in_all: int = Field(examples=[2])
    complete: bool


class NextFailuresAnswer(BaseModel):
    revision: int = Field(examples=[42])
    items: list[NextFailuresOut]
    not_reached: list[str] = Field(examples=[["ci-17"]], description="those for which no time was left")
    complete: bool


class WhyAnswer(StandingOut):
    """`affected`, `unaffected` or `unknown`. `because` are the requirements that decided, with what they need, in full,
    hold and have to spare; of one that is not affected those that held. `path` leads from the first cause to it;
    `relations` are those of legs and path."""

    revision: int = Field(examples=[42])
    rules: str = Field(examples=["5f2c"])
    question: QuestionById
    head: str = Field(examples=["3 affected, 0 unknown"])
    ci: ItemOut
    verdict: str = Field(examples=["affected"])
    text: str = Field(examples=["affected: degraded, was up"])
    was: StandingOut
    unknown: str | None = Field(default=None, examples=[None])
    because: list[dict[str, Any]] = Field(
        examples=[
            [{"axis": "availability", "kind": "requirement", "text": "runs_on needs 1 of 1: 0 hold", "spare": -1}]
        ]
    )
    path: list[StepOut]
    relations: list[RelationSaid]
    relations_more: int = Field(examples=[0])
    next_failures: NextFailuresOut | None = None


class SinglePointOut(ItemOut):
    """A CI, or a cable (its class is `connects_to`): `takes_down` counts all that its loss takes down."""

    takes_down: int = Field(examples=[12])
    services_in_all: int = Field(examples=[1])
    services: list[ItemOut]


class SinglePointList(BaseModel):
    revision: int = Field(examples=[42])
    in_all: int = Field(examples=[1])
    complete: bool
    items: list[SinglePointOut]
