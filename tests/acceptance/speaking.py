"""Act 2, the customers speak: mail through SMTP, chats through the widget's door, posts, comments and messages on the platform; later some speak again."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass, field
from email.message import EmailMessage

from playwright.sync_api import expect

from careline.simulator.records import Persona
from tests.acceptance.cast import BYSTANDER, CHATS_IN_A_BROWSER, Customer, of, returning
from tests.acceptance.chatting import Chatter
from tests.acceptance.house import SERVICE, House
from tests.acceptance.opening import ACCOUNT, HANDLE
from tests.browser.widget.conftest import Visit, look
from tests.mail.test_the_whole_journey import photo

MAIL_WITHIN_S = 60.0


@dataclass
class Street:
    """The customers' side: their chats by code, and the threads of their posts."""

    house: House
    visits: dict[str, Visit] = field(default_factory=dict)
    chatters: dict[str, Chatter] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)


def speak_first(street: Street) -> None:
    """Everybody's first words, and a bystander below a stranger's post."""
    for customer in of("mail"):
        street.house.mail.post(first_mail(customer), customer.mailbox, SERVICE)
    for number, customer in enumerate(of("chat")):
        (visit if number < CHATS_IN_A_BROWSER else chat)(street, customer)
    speak_on_the_platform(street)


def speak_again(street: Street) -> None:
    """Those who come back: with a question, with thanks, or with their absence notice."""
    for customer in returning():
        if customer.way == "mail":
            answer_by_mail(street.house, customer)
        elif customer.code in street.visits:
            street.visits[customer.code].say(customer.says_again)
            expect(street.visits[customer.code].chat.locator(".message.own")).to_have_count(2)
        elif customer.way == "chat":
            street.chatters[customer.code].say(customer.says_again)
        else:
            street.house.platform.simulator.platform.reply(
                street.threads[customer.code], customer.code, customer.says_again
            )


# ---- mail


def first_mail(customer: Customer) -> EmailMessage:
    """A letter, with a photo where they bring one."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{customer.name} <{customer.mailbox}>", SERVICE
    mail["Subject"], mail["Message-ID"] = f"{customer.code}", message_id(customer)
    mail.set_content(f"{customer.says}\n")
    if customer.brings_file:
        mail.add_attachment(photo(), maintype="image", subtype="png", filename=f"{customer.code}.png")
    return mail


def message_id(customer: Customer, number: int = 1) -> str:
    """What the customer's own program calls their letters."""
    return f"<{customer.code.lower()}-{number}@cust.test>"


def answer_by_mail(house: House, customer: Customer) -> None:
    """As their program does it: to the address the answer asks for, with its references, the answer quoted below."""
    [raw] = house.mail.mails(customer.mailbox, within_s=MAIL_WITHIN_S)
    answer = read(raw)
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{customer.name} <{customer.mailbox}>", str(answer["Reply-To"] or answer["From"])
    mail["Message-ID"], mail["In-Reply-To"] = message_id(customer, 2), str(answer["Message-ID"])
    mail["References"] = f"{message_id(customer)} {answer['Message-ID']}"
    mail["Subject"] = f"{'Automatic reply' if customer.returns == 'away' else 'Re'}: {customer.code}"
    if customer.returns == "away":
        mail["Auto-Submitted"] = "auto-replied"
    quoted = "\n".join(f"> {line}" for line in words_of(answer).splitlines())
    mail.set_content(f"{customer.says_again}\n\nOn Monday, Aerolínea Norte wrote:\n{quoted}\n")
    house.mail.post(mail, customer.mailbox, email.utils.parseaddr(str(mail["To"]))[1])


def read(raw: bytes) -> EmailMessage:
    """A mail as its reader's program sees it."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def words_of(mail: EmailMessage) -> str:
    """Its plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


# ---- chats


def visit(street: Street, customer: Customer) -> None:
    """A real page in a real browser."""
    context = street.house.browsers.browser.new_context(
        locale=customer.language, viewport={"width": 900, "height": 700}
    )
    one = look(context.new_page(), f"{street.house.site.address}/")
    one.open()
    one.say(customer.says)
    expect(one.chat.locator(".message.own")).to_have_count(1)
    street.visits[customer.code] = one


def chat(street: Street, customer: Customer) -> None:
    """The same requests without a browser."""
    found = re.search(r"/widget/([\w-]+)\.js", street.house.site.tag)
    assert found is not None
    chatter = Chatter(
        street.house.browsers.address, street.house.site.address, found.group(1), customer.language, customer.name
    )
    chatter.arrive().say(customer.says)
    street.chatters[customer.code] = chatter


# ---- the platform


def speak_on_the_platform(street: Street) -> None:
    """Posts that name the airline, comments below its own two posts, direct messages."""
    platform = street.house.platform.simulator.platform
    own = {"es": "Nueva ruta a Lisboa desde mayo.", "en": "Our new route to Lisbon begins in May."}
    ours = {language: platform.own_post(ACCOUNT, words).thread for language, words in own.items()}
    for customer in of("post", "comment", "dm"):
        platform.join(Persona(customer.code, f"@{customer.code.lower()}", customer.name))
        if customer.way == "post":
            said = platform.post(ACCOUNT, customer.code, f"{HANDLE} {customer.says}", views=900)
        elif customer.way == "comment":
            said = platform.reply(ours[customer.language], customer.code, customer.says)
        else:
            said = platform.dm(ACCOUNT, customer.code, customer.says)
        street.threads[customer.code] = said.thread
    platform.join(Persona("NT0000", "@otro", "Otro Viajero"))
    platform.reply(street.threads[of("post")[0].code], "NT0000", BYSTANDER)
