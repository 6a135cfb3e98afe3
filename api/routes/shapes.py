"""What the API takes and answers, as pydantic models with examples; `api.views` makes the same words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Scalar = str | bool | int | float
AttributeValue = Scalar | list[Scalar]

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "about:blank"},
        "title": {"type": "string", "example": "Not Found"},
        "status": {"type": "integer", "example": 404},
        "detail": {"type": "string", "example": "nothing is known as 'D010210-009'"},
        "instance": {"type": "string", "example": "/api/v1/tags/D010210-009"},
    },
}


class Strict(BaseModel):
    """What comes in: a misspelt key is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


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
    """A CI that a text names, and as what: label, former_label, serial, uuid, mac, wwn, address, name …"""

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

    attributes: dict[str, AttributeValue | None] = Field(examples=[{"contact": "network team"}], min_length=1)


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


class ImpactQuestion(Strict):
    """Texts as on the command line: ids, identifiers, names that are unique, `CI[PORT]`, `TYPE:FROM..TO`."""

    what: list[str] = Field(min_length=1, max_length=1000, examples=[["core-a"]])
    kind: str = Field(examples=["reboot"])
    down: list[str] = Field(default=[], max_length=1000)
    restarts: bool = False


class ScanRequest(Strict):
    targets: list[str] = Field(min_length=1, max_length=1000, examples=[["10.0.0.0/24", "10.0.1.1-9"]])
    exclude: list[str] = Field(default=[])
    space: str = "default"
    snmp_port: int | None = Field(default=None, ge=1, le=65535)
    ssh_port: int | None = Field(default=None, ge=1, le=65535)


class ScheduleRequest(ScanRequest):
    name: str = Field(min_length=1, examples=["nightly"])
    cron: str = Field(examples=["0 2 * * *"])


class TokenRequest(Strict):
    name: str = Field(min_length=1, examples=["dashboard"])
    role: str = Field(examples=["reader"])
    days: int | None = Field(default=365, ge=1, description="null: never expires")


class CredentialRequest(Strict):
    name: str = Field(min_length=1, examples=["site-snmp"])
    kind: str = Field(examples=["snmp-v2c"])
    networks: list[str] = Field(min_length=1, examples=[["10.0.0.0/8"]])
    secret: str = Field(min_length=1, json_schema_extra={"format": "password", "writeOnly": True})
    user: str | None = None
    auth: str = "sha256"
    priv: str = "aes128"
    sudo: bool = False
    legacy: bool = False
