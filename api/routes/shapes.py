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
