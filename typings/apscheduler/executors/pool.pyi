from collections.abc import Mapping

from apscheduler.executors.base import BaseExecutor

class ThreadPoolExecutor(BaseExecutor):
    def __init__(self, max_workers: int = 10, pool_kwargs: Mapping[str, object] | None = None) -> None: ...
