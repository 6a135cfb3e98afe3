from collections.abc import Mapping

from apscheduler.jobstores.base import BaseJobStore
from sqlalchemy import Engine, MetaData

class SQLAlchemyJobStore(BaseJobStore):
    engine: Engine
    def __init__(
        self,
        url: str | None = None,
        engine: Engine | None = None,
        tablename: str = "apscheduler_jobs",
        metadata: MetaData | None = None,
        pickle_protocol: int = ...,
        tableschema: str | None = None,
        engine_options: Mapping[str, object] | None = None,
    ) -> None: ...
