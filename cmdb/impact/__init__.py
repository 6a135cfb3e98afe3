"""What breaks, why, and how sure (impact.md): a question at a revision in, an answer out."""

from cmdb.impact.answer import (
    ASSUMED_NOTE,
    AVAILABILITY,
    AXES,
    MANAGEMENT,
    PROTECTION,
    VLAN_NOTE,
    Affected,
    Answer,
    Item,
    LegState,
    NextFailures,
    Outline,
    Reason,
    SinglePoint,
    StaleRelation,
    Standing,
    Step,
    Unknown,
    Why,
    affected_out,
    reason_out,
)
from cmdb.impact.evaluation import Evaluation, evaluate
from cmdb.impact.live import LiveTopology
from cmdb.impact.question import KINDS, Question
from cmdb.impact.single_points import single_points

__all__ = [
    "ASSUMED_NOTE",
    "AVAILABILITY",
    "AXES",
    "KINDS",
    "MANAGEMENT",
    "PROTECTION",
    "VLAN_NOTE",
    "Affected",
    "Answer",
    "Evaluation",
    "Item",
    "LegState",
    "LiveTopology",
    "NextFailures",
    "Outline",
    "Question",
    "Reason",
    "SinglePoint",
    "StaleRelation",
    "Standing",
    "Step",
    "Unknown",
    "Why",
    "affected_out",
    "evaluate",
    "reason_out",
    "single_points",
]
