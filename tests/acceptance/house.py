"""What runs during acceptance: an empty Careline, a mail server, a simulated platform, a plain site with the chat, one browser, and who sits at it."""

from __future__ import annotations

import gettext
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from tests.browser.settings.conftest import CHROMIUM
from tests.browser.settings.conftest import House as BrowserHouse
from tests.servers.mail import MailServers
from tests.servers.processes import ROOT, Careline, free_port

SERVICE, SYSTEM = "service@support.test", "desk@support.test"
WORKSPACE = "aerolinea-norte"


@dataclass
class Site:
    """A plain HTML page of the airline; the tag of the chat is pasted into it as an administrator would."""

    server: ThreadingHTTPServer
    tag: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@dataclass
class Seat:
    """Somebody at the desk: their page, and the language it speaks."""

    name: str
    page: Page
    locale: str

    def words(self, msgid: str) -> str:
        """What the screen calls it, in this person's language."""
        return _catalogue(self.locale).gettext(msgid)


@dataclass
class House:
    """All of it. `seats` fill while the desk is opened, `pictures` are for people to look at."""

    careline: Careline
    browsers: BrowserHouse
    mail: MailServers
    platform: running.Running
    site: Site
    pictures: Path
    seats: dict[str, Seat] = field(default_factory=dict)

    @property
    def desk(self) -> str:
        return f"{self.browsers.address}/w/{WORKSPACE}"

    def picture_once(self, page: Page, name: str) -> None:
        """The first of a kind."""
        if not (self.pictures / f"{name}.png").exists():
            self.picture(page, name)

    def picture(self, page: Page, name: str) -> None:
        """Keep what is on a screen now."""
        page.screenshot(path=self.pictures / f"{name}.png")


@contextmanager
def opened(folder: Path, mail: MailServers) -> Iterator[House]:
    """Everything started on empty folders; stopped in order. What a page complained about fails at the end."""
    with ExitStack() as stack:
        platform = running.start(folder / "ledger.sqlite3", behaviour=Behaviour(receipts="all"))
        stack.callback(platform.stop)
        site = _start_site(stack)
        careline = _start_careline(folder, mail)
        stack.callback(_stop_careline, careline)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        stack.callback(browser.close)
        house = House(careline, BrowserHouse(careline, browser), mail, platform, site, folder / "pictures")
        house.pictures.mkdir()
        yield house
        assert house.browsers.complaints == []


def _start_careline(folder: Path, mail: MailServers) -> Careline:
    port = free_port()
    environment = {
        "CARELINE_BASE_URL": f"http://localhost:{port}",
        "CARELINE_MAIL_URL": f"smtp://127.0.0.1:{mail.smtp_port}",
        "CARELINE_MAIL_FROM": SYSTEM,
    }
    careline = Careline(folder / "data", port=port, environment=environment)
    return careline.start().wait_ready()


def _stop_careline(careline: Careline) -> None:
    try:
        assert careline.stop() == 0
    finally:
        careline.kill()


def _start_site(stack: ExitStack) -> Site:
    class Shelf(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = f'<!doctype html><html lang="es"><meta charset="utf-8"><title>Aerolínea Norte</title><h1>Aerolínea Norte</h1>{site.tag}</html>'
            body = page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    site = Site(ThreadingHTTPServer(("127.0.0.1", 0), Shelf))
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(site.server.server_close)
    stack.callback(site.server.shutdown)
    return site


def _catalogue(locale: str) -> gettext.NullTranslations:
    return gettext.translation("django", ROOT / "careline" / "locale", languages=[locale], fallback=locale == "en")
