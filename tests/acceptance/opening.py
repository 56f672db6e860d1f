"""Act 1, opening the desk: the link of the log, the workspace, three channels, three colleagues by mail, one forgotten password."""

from __future__ import annotations

import email
import email.policy
import re

from playwright.sync_api import Page, expect

from careline.simulator.records import Account, App
from tests.acceptance.house import SERVICE, House, Seat
from tests.browser.settings.conftest import make_owner
from tests.servers.mail import PASSWORD as MAILBOX_PASSWORD

TOKEN, ACCOUNT, HANDLE = "token-of-the-platform", "norte", "@norte"
COLLEAGUES = {"Ben": ("lead", "en"), "Ana": ("agent", "en"), "Inés": ("agent", "es")}
FORGETFUL = "Inés"
FIRST_PASSWORD, SECOND_PASSWORD = "a long first sentence", "otra frase bien larga"
SNIPPET = {
    "en": "Hello {{person.first_name}}, this is {{agent.first_name}}.",
    "es": "Hola {{person.first_name}}, soy {{agent.first_name}}.",
}


def open_the_desk(house: House) -> None:
    """All of act 1, by the owner's screens."""
    house.browsers.state = make_owner(house.browsers)
    owner = house.browsers.open(f"/w/{house.desk.rsplit('/', 1)[-1]}/settings/brands")
    furnish(house, owner)
    connect_mailbox(house, owner)
    connect_chat(house, owner)
    connect_network(house, owner)
    for name, (role, locale) in COLLEAGUES.items():
        invite(house, owner, name, role)
        join(house, name, locale)
    reset_password(house, FORGETFUL)
    owner.context.close()


def mailbox_of(name: str) -> str:
    """A colleague's address."""
    return {"Ben": "ben", "Ana": "ana", "Inés": "ines", "Leo": "leo"}[name] + "@support.test"


# ---- brand, team, snippet, channels


def furnish(house: House, owner: Page) -> None:
    """The brand speaks two languages; a second team; the greeting everybody uses."""
    owner.get_by_role("link", name="Aerolínea Norte").click()
    owner.get_by_label("Languages", exact=True).fill("es, en")
    _save(owner)
    _add(house, owner, "teams", {"Name": "Redes sociales"})
    _add(
        house,
        owner,
        "snippets",
        {"Shortcut": "hola", "Name": "Greeting", "English": SNIPPET["en"], "Spanish": SNIPPET["es"]},
    )


def _add(house: House, owner: Page, shelf: str, values: dict[str, str]) -> None:
    owner.goto(f"{house.desk}/settings/{shelf}/new")
    for label, value in values.items():
        owner.get_by_label(label, exact=True).fill(value)
    _save(owner)


def _save(owner: Page) -> None:
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("status").filter(has_text=re.compile("Saved|Added"))).to_be_visible()


def connect_mailbox(house: House, owner: Page) -> None:
    """IMAP and SMTP of the real servers, checked live by the page."""
    _choose(house, owner, "E-mail")
    _fill(
        owner,
        {"Mail address": SERVICE, "Password": MAILBOX_PASSWORD, "IMAP server": "127.0.0.1", "SMTP server": "127.0.0.1"},
    )
    _select(owner, {"IMAP encryption": "none", "SMTP encryption": "none"})
    owner.get_by_text("more settings").click()
    _fill(
        owner,
        {
            "IMAP port": str(house.mail.imap_port),
            "SMTP port": str(house.mail.smtp_port),
            "Mails a minute at most": "900",
        },
    )
    _connect(owner, "Service mailbox")


def connect_chat(house: House, owner: Page) -> None:
    """The widget's one tag goes into the airline's page."""
    _choose(house, owner, "Web chat")
    _fill(owner, {"Sites that may show the chat": house.site.address})
    _connect(owner, "Chat")
    house.site.tag = owner.get_by_label("The one tag for your pages").input_value()


def connect_network(house: House, owner: Page) -> None:
    """As on a real platform: its app gives a token; afterwards the app is told address and secret of the hook."""
    ledger, accounts = house.platform.simulator.ledger, [Account(ACCOUNT, "app", "Aerolínea Norte", HANDLE, "lookup")]
    ledger.save_app(App("app", "", "", TOKEN), accounts)
    _choose(house, owner, "Simulated network")
    secret = owner.get_by_label("Hook secret").input_value()
    _fill(owner, {"Account": ACCOUNT, "API address": f"{house.platform.address}/api", "Access token": TOKEN})
    owner.get_by_text("more settings").click()
    _fill(owner, {"Handle": HANDLE})
    _connect(owner, HANDLE)
    ledger.save_app(App("app", owner.get_by_label("The platform posts to").input_value(), secret, TOKEN), accounts)


def _choose(house: House, owner: Page, network: str) -> None:
    owner.goto(f"{house.desk}/channels/new")
    owner.get_by_role("link", name=re.compile(f"^{network}")).click()


def _fill(owner: Page, values: dict[str, str]) -> None:
    for label, value in values.items():
        owner.get_by_label(label, exact=True).fill(value)


def _select(owner: Page, values: dict[str, str]) -> None:
    for label, value in values.items():
        owner.get_by_label(label, exact=True).select_option(value)


def _connect(owner: Page, name: str) -> None:
    owner.get_by_label("Name", exact=True).fill(name)
    owner.get_by_role("button", name="Check and connect").click()
    expect(owner.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=20_000)
    expect(owner.locator(".channel-state")).to_contain_text("Works")


# ---- colleagues


def invite(house: House, owner: Page, name: str, role: str) -> None:
    """By address, role and team."""
    owner.goto(f"{house.desk}/settings/agents")
    owner.get_by_label("E-mail address").fill(mailbox_of(name))
    owner.get_by_label("Role").select_option(role)
    owner.get_by_label("Atención al cliente").or_(owner.get_by_label("Customer service")).check()
    owner.get_by_role("button", name="Invite").click()
    expect(owner.get_by_text("A mail is on its way")).to_be_visible()


def join(house: House, name: str, locale: str) -> None:
    """They open the link of their mail and sit down."""
    page = house.browsers.open(
        link_in_mail(house, name, "join"), signed_in=False, viewport={"width": 1440, "height": 900}
    )
    join_by_form(page, name, FIRST_PASSWORD, locale)
    house.seats[name] = Seat(name, page, locale)


def join_by_form(page: Page, name: str, password: str, locale: str) -> None:
    """Fill in the page behind an invitation."""
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Language").select_option(locale)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/inbox")


def reset_password(house: House, name: str) -> None:
    """Forgotten: asked for on the sign-in page, set through the mail's link, and the old one is worth nothing."""
    page = house.seats[name].page
    _sign_out(page)
    page.goto(f"{house.browsers.address}/accounts/password/reset/")
    page.locator("input[name=email]").fill(mailbox_of(name))
    page.locator("form.form button").first.click()
    page.wait_for_url("**/password/reset/done/")
    page.goto(house.browsers.address + link_in_mail(house, name, "accounts/password/reset/key", mails=2))
    set_password(page, SECOND_PASSWORD)
    sign_in(house, page, name, FIRST_PASSWORD)
    expect(page.locator(".problem, .say.late").first).to_be_visible()
    sign_in(house, page, name, SECOND_PASSWORD)
    page.wait_for_url("**/inbox")


def set_password(page: Page, password: str) -> None:
    """The page behind a reset link."""
    page.locator("input[name=password1]").fill(password)
    page.locator("input[name=password2]").fill(password)
    page.locator("button[name=action]").click()
    page.wait_for_url(re.compile("done|login|inbox"))


def _sign_out(page: Page) -> None:
    page.locator("[data-menu] summary").click()
    page.locator("[data-menu] form button").click()
    page.wait_for_url("**/accounts/login/**")


def sign_in(house: House, page: Page, name: str, password: str) -> None:
    """The sign-in form."""
    page.goto(f"{house.browsers.address}/accounts/login/")
    page.locator("input[name=login]").fill(mailbox_of(name))
    page.locator("input[name=password]").fill(password)
    page.locator("form.form button[type=submit]").first.click()


def link_in_mail(house: House, name: str, path: str, *, mails: int = 1) -> str:
    """The path of the newest link of this kind in a colleague's mailbox."""
    newest = email.message_from_bytes(house.mail.mails(mailbox_of(name), mails)[-1], policy=email.policy.default)
    assert isinstance(newest, email.message.EmailMessage)
    body = newest.get_body(("plain",))
    assert body is not None and newest["Auto-Submitted"] == "auto-generated"
    [link] = re.findall(rf"{re.escape(house.browsers.address)}(/{path}/\S+)", body.get_content())
    return str(link)
