"""A server in a process of its own, a browser, and somebody who has logged in with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from api.pages.entry import link_path
from api.wiring import Services
from operations.tokens import Role
from tests.fixtures.parts import REPOSITORY


@contextmanager
def served(services: Services) -> Iterator[str]:
    """The URL of a server on the stores of these services."""
    environment = {
        **os.environ,
        "CMDB_STORE": services.settings.store.get_secret_value(),
        "XDG_CONFIG_HOME": str(services.settings.folder),
        "PYTHONPATH": str(REPOSITORY),
    }
    command = [sys.executable, "-m", "tests.api.serving"]
    with subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """Debian's Chromium, started."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A browser of one person, who has followed a log-in link; what the page complains of is kept."""

    def __init__(self, context: BrowserContext, url: str, services: Services, role: Role) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._url = url
        self.page.goto(url + link_path(services.sessions.make_link("Ada", role)))
        self.page.wait_for_url(f"{url}/")

    def go(self, path: str) -> Page:
        self.page.goto(self._url + path)
        return self.page
