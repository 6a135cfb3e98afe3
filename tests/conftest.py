"""Real servers for every test, each started when first asked for, once per worker.

- `neo4j_url`: `neo4j://neo4j:PASSWORD@127.0.0.1:PORT` of an own Neo4j server;
- `snmpd`: an agent with the communities and users of `tests.fixtures.snmpd`; `start_snmpd(config)` starts others;
- `sshd`: a server with one account, which accepts `ssh_key`; `start_sshd(*accounts, …)` starts others;
- `chromium`: path of the browser.

A part that is missing skips the test and says what to install. With CMDB_REQUIRE_ALL=1 it is a failure, and so is
any skip.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.fixtures.chromium import chromium
from tests.fixtures.neo4j_server import neo4j_server, neo4j_url
from tests.fixtures.parts import everything_is_required
from tests.fixtures.snmpd import snmpd, start_snmpd
from tests.fixtures.sshd import ssh_key, sshd, start_sshd

__all__ = ["chromium", "neo4j_server", "neo4j_url", "snmpd", "ssh_key", "sshd", "start_snmpd", "start_sshd"]

# Two busy cores say nothing about one example's time; in CI the same examples run each time.
settings.register_profile(
    "cmdb", deadline=None, derandomize=everything_is_required(), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("cmdb")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything is required, a skipped test is a part that nobody looked at."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not everything_is_required():  # a worker has no reporter
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CMDB_REQUIRE_ALL=1, and {len(skipped)} were skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
