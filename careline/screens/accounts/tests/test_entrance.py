"""Sign-in, first run, invitations, resets: what a visitor can and cannot do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    SECRET_SESSION_KEY,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache
from django.test import Client

from careline.errors import NotFound
from careline.kit import clock
from careline.screens.accounts.resetting import reset_link
from careline.workspaces.actions.founding import make_owner_link
from careline.workspaces.actions.inviting import invite_agent
from careline.workspaces.models import Account, Agent, Audit, Workspace
from careline.workspaces.tests.cast import PASSWORD, Cast, make_cast

pytestmark = pytest.mark.django_db(transaction=True)
LOGIN = "/accounts/login/"
OWNER = {
    "workspace_name": "Norte",
    "name": "Olga",
    "email": "olga@norte.test",
    "password": "muy-larga-y-secreta",
    "locale": "es",
    "zone": "Europe/Madrid",
}


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post(LOGIN, {"login": email, "password": password}).status_code


def path_of(link: str | None) -> str:
    assert link is not None
    return "/" + link.split("/", 3)[3]


def test_the_first_owner_lands_signed_in_on_the_desk(client: Client) -> None:
    path = path_of(make_owner_link())
    assert client.get(path).status_code == 200
    answer = client.post(path, OWNER)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/w/norte/inbox")
    assert client.session["_auth_user_id"] == str(Account.objects.get().id)
    assert client.get(path).status_code == 404 and Client().post(path, OWNER).status_code == 404
    assert list(Audit.objects.order_by("id").values_list("verb", flat=True)) == ["owner_created", "sign_in"]


def test_a_refused_first_owner_keeps_what_was_typed(client: Client) -> None:
    path = path_of(make_owner_link())
    answer = client.post(path, {**OWNER, "zone": "Mars/Olympus", "password": "short"})
    page = answer.content.decode()
    assert answer.status_code == 422 and not Workspace.objects.exists()
    assert 'value="Norte"' in page and 'value="olga@norte.test"' in page and "has-problem" in page


def test_an_invented_setup_link_is_not_found(client: Client) -> None:
    make_owner_link()
    assert client.get("/setup/invented").status_code == 404


def test_an_invitation_makes_an_account_and_signs_it_in(cast: Cast, client: Client) -> None:
    made = invite_agent(cast.viewer(cast.olga), email="nora@air.test", role="trainee")
    words = {"name": "Nora", "password": "another-long-secret", "locale": "en", "zone": "Europe/Madrid"}
    answer = client.post(path_of(made.url), words)
    assert answer.headers["Location"] == "/w/air/inbox"
    assert Agent.objects.get(account__email="nora@air.test").role == "trainee"
    assert Client().get(path_of(made.url)).status_code == 404


def test_an_invitation_to_a_known_address_asks_for_its_own_sign_in(cast: Cast, client: Client) -> None:
    path = path_of(invite_agent(cast.viewer(cast.olga), email=cast.cleo.account.email, role="agent").url)
    page = client.get(path).content.decode()
    assert 'name="password"' not in page and f"/accounts/login/?next={path}" in page
    assert client.post(path).status_code == 404
    client.force_login(cast.ana.account)
    assert client.post(path).status_code == 404
    client.force_login(cast.cleo.account)
    assert client.post(path).headers["Location"] == "/w/air/inbox"


def test_a_known_and_an_unknown_address_fail_alike(cast: Cast) -> None:
    pages = []
    for email in ("ana@air.test", "nobody@air.test"):
        answer = Client().post(LOGIN, {"login": email, "password": "wrong-wrong-wrong"})
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode()).replace(email, "X")
        pages.append((answer.status_code, page))
    assert pages[0] == pages[1]


def test_resetting_says_the_same_for_known_and_unknown_addresses(cast: Cast, settings: LazySettings) -> None:
    settings.MAIL_URL = "smtp://127.0.0.1:9"
    places = set()
    for email in ("ana@air.test", "nobody@air.test"):
        answer = Client().post("/accounts/password/reset/", {"email": email})
        places.add((answer.status_code, answer.headers.get("Location")))
    assert places == {(302, "/accounts/password/reset/done/")}
    assert [message.to for message in mail.outbox] == [["ana@air.test"]]


def test_the_reset_mail_ignores_a_forged_host(cast: Cast, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"host": "evil.test"}).post("/accounts/password/reset/", {"email": "ana@air.test"})
    assert "evil.test" not in mail.outbox[0].body and settings.BASE_URL in mail.outbox[0].body
    assert mail.outbox[0].subject == "[Careline] Set a new Careline password"


def test_the_mail_about_a_new_password_speaks_to_its_reader_as_every_screen_does(cast: Cast) -> None:
    Account.objects.filter(email="ana@air.test").update(locale="es")
    visitor = Client()
    form = visitor.get(reset_link("ana@air.test")).headers["Location"]
    visitor.post(form, {"password1": "a-brand-new-secret", "password2": "a-brand-new-secret"})
    assert mail.outbox[0].subject == "[Careline] Contraseña restablecida"
    assert "cambia tu contraseña" in mail.outbox[0].body and "usted" not in mail.outbox[0].body


def test_a_reset_link_works_once_and_ends_every_session(cast: Cast, client: Client) -> None:
    assert sign_in(client, "ana@air.test") == 302
    path = reset_link("ana@air.test")
    visitor = Client()
    form = visitor.get(path).headers["Location"]
    answer = visitor.post(form, {"password1": "a-brand-new-secret", "password2": "a-brand-new-secret"})
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session
    assert sign_in(Client(), "ana@air.test") == 200 and sign_in(Client(), "ana@air.test", "a-brand-new-secret") == 302
    assert "account_reset_password" not in Client().get(path).headers.get("Location", "")
    assert "This link is over" in Client().get(path).content.decode()
    verbs = set(Audit.objects.filter(workspace_id=cast.workspace.id).values_list("verb", flat=True))
    assert {"reset_link_made", "password_reset", "sign_in", "sign_in_failed"} <= verbs


def test_a_reset_link_ends_after_a_day(cast: Cast, settings: LazySettings) -> None:
    assert timedelta(days=1).total_seconds() == settings.PASSWORD_RESET_TIMEOUT
    with pytest.raises(NotFound):
        reset_link("nobody@air.test")


def test_signing_in_changes_the_session(cast: Cast, client: Client) -> None:
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    planted = client.cookies["careline_session"].value if "careline_session" in client.cookies else session.session_key
    sign_in(client, "ana@air.test")
    assert client.session.session_key != planted


def test_the_sixth_wrong_password_is_not_even_tried(cast: Cast) -> None:
    for _ in range(5):
        sign_in(Client(), "ana@air.test", "wrong-wrong-wrong")
    client = Client()
    answer = client.post(LOGIN, {"login": "ana@air.test", "password": PASSWORD})
    assert answer.status_code == 200 and "_auth_user_id" not in client.session
    assert Audit.objects.filter(verb="sign_in_failed").count() == 5


def test_too_many_requests_end_in_words(cast: Cast) -> None:
    answers = [Client().post("/accounts/password/reset/", {"email": f"x{n}@air.test"}) for n in range(21)]
    assert answers[19].status_code == 302 and answers[20].status_code == 429
    assert "Wait a few minutes" in answers[20].content.decode()


def test_the_entrance_speaks_the_browsers_language(client: Client) -> None:
    page = client.get(LOGIN, headers={"accept-language": "es"}).content.decode()
    assert '<html lang="es"' in page


def test_sign_ins_and_failures_are_audited_without_passwords(cast: Cast, client: Client) -> None:
    sign_in(client, "ana@air.test", "wrong-wrong-wrong")
    sign_in(client, "ana@air.test")
    client.post("/accounts/logout/")
    sign_in(Client(), "nobody@air.test", "wrong-wrong-wrong")
    rows = list(Audit.objects.order_by("id").values_list("verb", "workspace_id", "agent_id", "subject"))
    air, ana = cast.workspace.id, cast.ana.id
    assert rows == [
        ("sign_in_failed", air, None, f"agent:{ana}"),
        ("sign_in", air, ana, f"agent:{ana}"),
        ("sign_out", air, ana, f"agent:{ana}"),
        ("sign_in_failed", None, None, ""),
    ]
    assert (
        "wrong-wrong" not in str(list(Audit.objects.values())) and Audit.objects.first().facts["address"] == "127.0.0.1"
    )


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/email/", "/accounts/confirm-email/", "/admin/"])
def test_nobody_signs_up_or_changes_their_address_and_there_is_no_admin(cast: Cast, client: Client, path: str) -> None:
    client.force_login(cast.ana.account)
    assert client.get(path).status_code == 404
    assert client.post(path, {"email": "x@y.test", "password1": "long-enough-word"}).status_code == 404
    assert Account.objects.filter(email="x@y.test").count() == 0


def test_a_deactivated_account_cannot_sign_in(cast: Cast) -> None:
    Account.objects.filter(id=cast.ana.account_id).update(is_active=False)
    client = Client()
    sign_in(client, "ana@air.test")
    assert "_auth_user_id" not in client.session


def test_the_second_factor_is_asked_for_and_its_seed_is_sealed(cast: Cast, client: Client) -> None:
    sign_in(client, "ana@air.test")
    assert client.get("/accounts/2fa/totp/activate/").headers["Location"].startswith("/accounts/reauthenticate/")
    show_it_is_me(client)
    client.get("/accounts/2fa/totp/activate/")
    secret = client.session[SECRET_SESSION_KEY]
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    kept = Authenticator.objects.get(user=cast.ana.account, type="totp")
    assert secret not in str(kept.data)
    again = Client()
    answer = again.post(LOGIN, {"login": "ana@air.test", "password": PASSWORD})
    assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/") and "_auth_user_id" not in again.session
    assert again.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    recovery = Authenticator.objects.get(user=cast.ana.account, type="recovery_codes").wrap().get_unused_codes()[0]
    assert again.post("/accounts/2fa/authenticate/", {"code": recovery}).status_code == 302
    assert again.session["_auth_user_id"] == str(cast.ana.account_id)
    assert Audit.objects.filter(verb="second_factor_added").count() >= 1
    assert Audit.objects.filter(verb="sign_in_failed", facts__method="mfa").count() == 1


def show_it_is_me(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_sessions_are_listed_and_others_can_be_ended(cast: Cast, client: Client) -> None:
    other = Client()
    sign_in(client, "ana@air.test")
    sign_in(other, "ana@air.test")
    page = client.get("/accounts/sessions/").content.decode()
    assert page.count("127.0.0.1") == 2
    client.post("/accounts/sessions/")
    assert "_auth_user_id" in client.session and "_auth_user_id" not in other.session


def test_changing_the_password_ends_other_sessions_and_keeps_this_one(cast: Cast, client: Client) -> None:
    other = Client()
    sign_in(client, "ana@air.test")
    sign_in(other, "ana@air.test")
    new = "a-brand-new-secret"
    answer = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.status_code == 302
    assert "_auth_user_id" in client.session and "_auth_user_id" not in other.session


PAGES = [
    "2fa/",
    "2fa/webauthn/",
    "2fa/webauthn/add/",
    "2fa/totp/activate/",
    "password/change/",
    "sessions/",
    "reauthenticate/",
]


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_ones_own_sign_in_carry_no_inline_script_and_a_strict_policy(
    cast: Cast, client: Client, page: str
) -> None:
    sign_in(client, "ana@air.test")
    show_it_is_me(client)
    answer = client.get(f"/accounts/{page}")
    check_inert(answer.content.decode())
    assert answer.status_code == 200 and "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("page", ["login/", "password/reset/", "password/reset/done/", "inactive/"])
def test_entrance_pages_carry_no_inline_script(client: Client, page: str) -> None:
    check_inert(client.get(f"/accounts/{page}").content.decode())


def check_inert(page: str) -> None:
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S):
        assert "src=" in attributes or 'type="application/json"' in attributes or "importmap" in attributes, body[:80]
    assert not re.search(r"\son[a-z]+=", page) and " style=" not in page


def test_only_the_four_scripts_are_served(client: Client) -> None:
    answer = client.get("/accounts/scripts/webauthn.js")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/javascript")
    for name in ("settings.py", "..%2f..%2fsettings.py", "webauthn.js.map"):
        assert client.get(f"/accounts/scripts/{name}").status_code == 404


def test_the_clock_of_links_is_the_products_own(cast: Cast, client: Client) -> None:
    made = invite_agent(cast.viewer(cast.olga), email="nora@air.test", role="agent")
    with clock.travel(timedelta(days=8)):
        assert client.get(path_of(made.url)).status_code == 404
