"""What the API takes and answers, as pydantic models with examples; `api.views` makes the same words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Text = Annotated[str, Field(min_length=1, max_length=255)]
Scalar = Annotated[str, Field(max_length=10_000)] | bool | int | float
AttributeValue = Scalar | Annotated[list[Scalar], Field(max_length=1_000)]
AttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]


class Strict(BaseModel):
    """What comes in: a misspelt key is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        r"""JSON can write half a character (`\ud800`), which no store keeps."""
        for text in _texts(given):
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise ValueError(f"{error.object[error.start : error.end]!a} is not valid Unicode") from None
        return given


def _texts(given: Any) -> Iterator[str]:
    """Every text in parsed JSON."""
    waiting = [given]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one


class IdentifierOut(BaseModel):
    scheme: str = Field(examples=["serial"])
    value: str = Field(examples=["FDO2201W0AB"])


class ComponentOut(BaseModel):
    kind: str = Field(examples=["interface"])
    name: str = Field(examples=["GigabitEthernet1/0/1"])
    attributes: dict[str, Any] = Field(examples=[{"mac": "00:1b:54:aa:00:01", "oper_up": True}])


class CIOut(BaseModel):
    """A CI; `revision` is that of its last change, and its ETag."""

    id: str = Field(examples=["ci-12"])
    cls: str = Field(alias="class", examples=["network_switch"])
    name: str = Field(examples=["core-a"])
    label: str | None = Field(examples=["D010210-009"])
    space: str = Field(examples=["default"])
    state: str = Field(examples=["present"])
    revision: int = Field(examples=[42])
    attributes: dict[str, Any] = Field(examples=[{"vendor": "Cisco", "model": "C9300-48P"}])
    identifiers: list[IdentifierOut]
    components: list[ComponentOut]
    missing_since: str | None = Field(examples=[None])


class EndOut(BaseModel):
    """A relation as one of its ends sees it: `id`, `name` and `class` are of the other end."""

    type: str = Field(examples=["connects_to"])
    direction: str = Field(examples=["out"])
    seen_as: str = Field(alias="as", examples=["connects_to"])
    id: str = Field(examples=["ci-13"])
    name: str = Field(examples=["access-1"])
    cls: str = Field(alias="class", examples=["network_switch"])
    relation: str = Field(examples=["rel-7"])
    key: dict[str, Any] = Field(examples=[{"from_port": "Te1/1/1", "to_port": "Gi0/1"}])


class CIFull(CIOut):
    relations: list[EndOut]
    formerly: list[str] = Field(default=[], examples=[["D010110-003"]])
    claims: list[dict[str, Any]] | None = None
    readings: list[dict[str, Any]] | None = Field(
        default=None, examples=[[{"attribute": "load_percent", "value": 40, "time": "2026-01-02T03:04:05.678000Z"}]]
    )
    at: int | None = Field(default=None, examples=[42], description="the revision that was asked for")


class CIList(BaseModel):
    """A page of CIs. `next` goes on after it, for the same filter and sort; it is absent on the last page."""

    items: list[CIOut]
    next: str | None = None


class RelationOut(BaseModel):
    id: str = Field(examples=["rel-7"])
    type: str = Field(examples=["connects_to"])
    source: str = Field(examples=["ci-12"])
    target: str = Field(examples=["ci-13"])
    columns: dict[str, Any]


class NeighbourhoodOut(BaseModel):
    revision: int
    cis: list[CIOut]
    relations: list[RelationOut]


class MatchOut(BaseModel):
    """A CI that a text names, and as what: label, former_label, serial, uuid, mac, wwn, address or name."""

    seen_as: str = Field(alias="as", examples=["mac"])
    value: str = Field(examples=["00:1b:54:aa:00:01"])
    ci: CIOut


class TagOut(BaseModel):
    """The holder of a tag: today's, or the last one with `former` and its label of today."""

    tag: str = Field(examples=["D010210-009"])
    former: bool = Field(examples=[False])
    label: str | None = Field(examples=["D010210-009"])
    formerly: list[str] = Field(default=[])
    ci: CIOut


class Amendment(Strict):
    """Values by hand; null takes one's own earlier value back. They are declared facts: scans do not overwrite them."""

    attributes: dict[AttributeName, AttributeValue | None] = Field(examples=[{"contact": "network team"}], min_length=1)


class Declaration(Strict):
    """An estate as of a file; `name` says whose: what it said before under that name is replaced."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["network-team"])]
    cis: list[dict[str, Any]] = Field(default=[], examples=[[{"class": "service", "name": "shop", "sla": "gold"}]])
    relations: list[dict[str, Any]] = Field(default=[])
    groups: list[dict[str, Any]] = Field(default=[])
    rooms: list[dict[str, Any]] = Field(default=[])
    dry_run: bool = False


class DeclaredOut(BaseModel):
    revision: int | None
    difference: list[str]
    warnings: list[str]


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
    """Each of these alone takes `of` down after the change, and would not have before."""

    of: ItemOut
    cis: list[ItemOut]
    cables: list[CableOut]
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


class Journal(BaseModel):
    """Revisions in order; `last` is what to send as `after` next."""

    items: list[dict[str, Any]] = Field(
        examples=[[{"n": 42, "at": "2026-01-02T03:04:05.678000Z", "actor": "discovery", "changes": []}]]
    )
    last: int = Field(examples=[42])


class AttributeOut(BaseModel):
    name: str = Field(examples=["memory"])
    type: str = Field(examples=["int"])
    unit: str = Field(examples=["byte"])


class ClassOut(BaseModel):
    """A row of the class table. `cut_off`: what being cut off from the network means."""

    name: str = Field(examples=["server"])
    parent: str | None = Field(examples=["device"])
    abstract: bool
    attributes: list[AttributeOut]
    cut_off: str | None = Field(examples=["down"])
    forwards: list[str] = Field(examples=[["ethernet"]])


class ClassList(BaseModel):
    items: list[ClassOut]


class RelationTypeOut(BaseModel):
    """A row of the relation table. `needs`: how many targets must hold, `all`, or null."""

    name: str = Field(examples=["powered_by"])
    inverse: str = Field(examples=["powers"])
    sources: list[str] = Field(examples=[["device"]])
    targets: list[str] = Field(examples=[["power_unit"]])
    needs: int | str | None = Field(examples=[1])
    axis: str | None = Field(examples=["availability"])
    medium: str | None
    keys: list[str] = Field(examples=[["feed"]])
    attributes: list[str]


class RelationTypeList(BaseModel):
    items: list[RelationTypeOut]


class RelationsOfCI(BaseModel):
    items: list[EndOut]
    next: str | None = None


class ScanRequest(Strict):
    """Targets as on the command line: networks, ranges, hosts. `confirmed`: so many addresses are meant."""

    targets: list[Text] = Field(min_length=1, max_length=1000, examples=[["10.0.0.0/24", "10.0.1.1-9"]])
    exclude: list[Text] = Field(default=[], max_length=1000, examples=[["10.0.0.1"]])
    space: Text = "default"
    address_map: list[Text] = Field(default=[], max_length=1000, examples=[["10.210.0.0/16=127.210.0.0/16"]])
    snmp_port: int | None = Field(default=None, ge=1, le=65535)
    ssh_port: int | None = Field(default=None, ge=1, le=65535)
    confirmed: bool = False


class RunOut(BaseModel):
    """A run: `queued`, `running`, `done`, `problems`, `interrupted` or `failed`."""

    id: str = Field(examples=["20260102T030405.678-1a2b3c"])
    kind: str = Field(examples=["scan"])
    state: str = Field(examples=["running"])
    targets: list[str] = Field(examples=[["10.0.0.0/24"]])
    exclude: list[str]
    space: str = Field(examples=["default"])
    requested_by: str = Field(examples=["dashboard"])
    requested: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    started: str | None
    ended: str | None
    done: int = Field(examples=[17])
    total: int = Field(examples=[254])
    counts: dict[str, int] = Field(examples=[{"answered": 12, "silent": 5}])
    error: str | None = Field(examples=[None])


class RunList(BaseModel):
    items: list[RunOut]
    next: str | None = None


class LedgerRowOut(BaseModel):
    """What became of a section of an address; `section` is empty for the address as a whole."""

    address: str = Field(examples=["10.0.0.7"])
    section: str = Field(examples=["snmp.interfaces"])
    outcome: str = Field(examples=["full"])
    completeness: str | None = Field(examples=["full"])
    at: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    duration_s: float = Field(examples=[0.21])
    counts: dict[str, int] = Field(examples=[{"components": 52}])
    error: str | None = Field(examples=[None])


class LedgerList(BaseModel):
    items: list[LedgerRowOut]
    next: str | None = None


class ScheduleRequest(ScanRequest):
    name: str = Field(min_length=1, max_length=200, examples=["nightly"])
    cron: str = Field(max_length=200, examples=["0 2 * * *"])


class ScheduleChange(Strict):
    enabled: bool = Field(examples=[False])


class ScheduleOut(BaseModel):
    name: str = Field(examples=["nightly"])
    cron: str = Field(examples=["0 2 * * *"])
    enabled: bool
    targets: list[str] = Field(examples=[["10.0.0.0/24"]])
    exclude: list[str]
    space: str = Field(examples=["default"])
    created_by: str = Field(examples=["dashboard"])
    created: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    due: str = Field(examples=["2026-01-03T02:00:00.000000Z"])


class ScheduleList(BaseModel):
    items: list[ScheduleOut]
    next: str | None = None


class TokenRequest(Strict):
    name: str = Field(min_length=1, max_length=200, examples=["dashboard"])
    role: str = Field(examples=["reader"])
    days: int | None = Field(default=365, ge=1, le=36500, description="null: it never expires")


class TokenOut(BaseModel):
    name: str = Field(examples=["dashboard"])
    role: str = Field(examples=["reader"])
    created: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    expires: str | None
    revoked: str | None
    last_used: str | None


class TokenCreated(TokenOut):
    token: str = Field(description="shown this once", examples=["cmdb_kvE5…"])


class TokenList(BaseModel):
    items: list[TokenOut]
    next: str | None = None


class CredentialRequest(Strict):
    name: str = Field(min_length=1, max_length=200, examples=["site-snmp"])
    kind: str = Field(examples=["snmp-v2c"], description="snmp-v1, snmp-v2c, snmp-v3, ssh-password or ssh-key")
    networks: list[Text] = Field(min_length=1, max_length=1000, examples=[["10.0.0.0/8"]])
    secret: SecretStr = Field(min_length=1, max_length=20_000, examples=["public"])
    user: str | None = Field(default=None, max_length=200)
    auth: str = "sha256"
    priv: str = "aes128"
    sudo: bool = False
    legacy: bool = False
    space: Text | None = None
    position: int | None = Field(default=None, ge=1, le=1_000_000)


class CredentialOut(BaseModel):
    """A credential without its secret; `position` is its place in the order in which they are tried."""

    name: str = Field(examples=["site-snmp"])
    kind: str = Field(examples=["snmp-v2c"])
    networks: list[str] = Field(examples=[["10.0.0.0/8"]])
    space: str | None
    position: int = Field(examples=[1])
    user: str | None
    sudo: bool
    legacy: bool
    created: str = Field(examples=["2026-01-02T03:04:05.678000Z"])


class CredentialList(BaseModel):
    items: list[CredentialOut]
    next: str | None = None
