from collections.abc import Mapping
from datetime import datetime

from apscheduler.triggers.base import BaseTrigger

class Job:
    id: str
    name: str
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    trigger: BaseTrigger
    next_run_time: datetime | None
    coalesce: bool
    max_instances: int
    misfire_grace_time: int | None
    def remove(self) -> None: ...
