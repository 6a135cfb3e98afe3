from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore
from apscheduler.triggers.base import BaseTrigger

class BaseScheduler:
    running: bool
    state: int
    timezone: tzinfo
    def __init__(
        self,
        gconfig: Mapping[str, object] = ...,
        *,
        jobstores: Mapping[str, BaseJobStore] = ...,
        executors: Mapping[str, BaseExecutor] = ...,
        job_defaults: Mapping[str, object] = ...,
        timezone: tzinfo | str = ...,
        daemon: bool = ...,
    ) -> None: ...
    def start(self, paused: bool = False) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def add_jobstore(self, jobstore: BaseJobStore | str, alias: str = "default") -> None: ...
    def add_executor(self, executor: BaseExecutor | str, alias: str = "default") -> None: ...
    # An event is of the class that its code says: the callback states which.
    def add_listener(self, callback: Callable[[Any], None], mask: int = ...) -> None: ...
    def remove_listener(self, callback: Callable[[Any], None]) -> None: ...
    def add_job(
        self,
        func: Callable[..., object] | str,
        trigger: BaseTrigger | str | None = None,
        args: Sequence[object] | None = None,
        kwargs: Mapping[str, object] | None = None,
        id: str | None = None,
        name: str | None = None,
        misfire_grace_time: int | None = ...,
        coalesce: bool = ...,
        max_instances: int = ...,
        next_run_time: datetime | None = ...,
        jobstore: str = "default",
        executor: str = "default",
        replace_existing: bool = False,
        **trigger_args: object,
    ) -> Job: ...
    def modify_job(self, job_id: str, jobstore: str | None = None, **changes: object) -> Job: ...
    def reschedule_job(
        self, job_id: str, jobstore: str | None = None, trigger: BaseTrigger | str | None = None, **trigger_args: object
    ) -> Job: ...
    def get_jobs(self, jobstore: str | None = None) -> list[Job]: ...
    def get_job(self, job_id: str, jobstore: str | None = None) -> Job | None: ...
    def remove_job(self, job_id: str, jobstore: str | None = None) -> None: ...
    def remove_all_jobs(self, jobstore: str | None = None) -> None: ...
    def wakeup(self) -> None: ...
