from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from operations.errors import OperationsError
from scheduler.clock import next_time

SUNDAY = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("* * * * *", datetime(2026, 3, 1, 12, 31, tzinfo=UTC)),
        ("30 12 * * *", datetime(2026, 3, 2, 12, 30, tzinfo=UTC)),
        ("0 2 * * 0", datetime(2026, 3, 8, 2, tzinfo=UTC)),
        ("0 2 * * 7", datetime(2026, 3, 8, 2, tzinfo=UTC)),
        ("0 13 * * sun", datetime(2026, 3, 1, 13, tzinfo=UTC)),
        ("0 2 * * 1-5", datetime(2026, 3, 2, 2, tzinfo=UTC)),
        ("0 2 * * 6,3", datetime(2026, 3, 4, 2, tzinfo=UTC)),
        ("0 2 * * 5-7", datetime(2026, 3, 6, 2, tzinfo=UTC)),
        ("0 2 * * */2", datetime(2026, 3, 3, 2, tzinfo=UTC)),
        ("0 2 * * TUE-THU/2", datetime(2026, 3, 3, 2, tzinfo=UTC)),
        ("*/20 1-3 15 * *", datetime(2026, 3, 15, 1, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_read_as_crontab_does(cron: str, expected: datetime) -> None:
    assert next_time(cron, SUNDAY) == expected


def test_it_is_in_utc_wherever_it_is_asked_from() -> None:
    elsewhere = SUNDAY.astimezone(timezone(timedelta(hours=8)))

    assert next_time("0 2 * * *", elsewhere) == datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("", "it has 0 fields"),
        ("@daily", "it has 1 fields"),
        ("0 2 * * * *", "it has 6 fields"),
        ("61 * * * *", "cannot be read"),
        ("0 2 * * 8", "weekday '8'"),
        ("0 2 * * fri-mon", "weekday 'fri-mon'"),
        ("0 2 * * */0", "weekday '\\*/0'"),
        ("0 2 1 * mon", "name one"),
        ("often please ok yes now", "cannot be read"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_what_means_no_time_is_refused(cron: str, message: str) -> None:
    with pytest.raises(OperationsError, match=message):
        next_time(cron, SUNDAY)
