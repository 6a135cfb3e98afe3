"""What breaks: the naive evaluator of impact.md. A Graph and a Question in, an Answer out; nothing else."""

from tests.naive.answer import Affected, Answer, Evaluation, LegState, Reason, Unknown, evaluate, reason_out
from tests.naive.levels import AVAILABILITY, MANAGEMENT, PROTECTION, Standing
from tests.naive.next_failures import NextFailures, next_failures
from tests.naive.question import KINDS, Question

__all__ = [
    "AVAILABILITY",
    "KINDS",
    "MANAGEMENT",
    "PROTECTION",
    "Affected",
    "Answer",
    "Evaluation",
    "LegState",
    "NextFailures",
    "Question",
    "Reason",
    "Standing",
    "Unknown",
    "evaluate",
    "next_failures",
    "reason_out",
]
