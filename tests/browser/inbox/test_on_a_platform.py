"""Acts on messages, the way from public to private, earlier words and long texts: in a browser, on the simulated network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from careline.simulator import running
from careline.simulator.behaviour import Behaviour, Fault
from careline.simulator.platform import Platform
from careline.simulator.records import Account, App, MessageRow, Persona
from tests.browser.inbox.conftest import House, SignIn
from tests.browser.inbox.platform_seeding import APP_TOKEN, SECRET, TOKEN
from tests.browser.inbox.test_whole_desk import PNG
from tests.servers.processes import Careline

pytestmark = pytest.mark.browser
LONG = " ".join(f"Frase {number} de una respuesta larga y amable." for number in range(1, 17))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """The platform, with receipts and without mischief."""
    folder = tmp_path_factory.mktemp("platform")
    found = running.start(folder / "ledger.sqlite3", behaviour=Behaviour(receipts="sent"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def house(world: running.Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A Careline whose account the platform serves."""
    data = tmp_path_factory.mktemp("desk") / "data"
    data.mkdir(parents=True)
    server = Careline(
        data, environment={"CARELINE_ALLOW_PRIVATE_ADDRESSES": "1", "DJANGO_SETTINGS_MODULE": "careline.settings"}
    )
    code = "import sys; from tests.browser.inbox.platform_seeding import main; main(sys.argv[1])"
    sessions = json.loads(server.run(world.address, code=code).strip().splitlines()[-1])
    server.start().wait_ready()
    app = App("app", f"{server.address}/hooks/simulated/{TOKEN}", SECRET, APP_TOKEN)
    world.simulator.ledger.save_app(app, [Account("aurora", "app", "Aurora Air", "@aurora")])
    yield House(server, sessions)
    server.stop()


@pytest.fixture
def platform(world: running.Running, house: House) -> Platform:
    """What happens on the platform; the house listens."""
    return world.simulator.platform


def join(platform: Platform, key: str, name: str) -> str:
    """Somebody new; gives their id."""
    return platform.join(Persona(f"u_{key}", f"@{key}", name)).id


def open_case(page: Page, text: str) -> None:
    """Open the case whose row says this."""
    row = page.locator("[data-rows] .row", has_text=text)
    expect(row).to_have_count(1)
    row.locator(".row-open").click()
    expect(page.locator("[data-region=timeline]")).to_contain_text(text)


def message(page: Page, text: str):  # type: ignore[no-untyped-def] # a locator
    return page.locator(".msg", has_text=text)


def until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait until the platform's ledger says so."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "the platform never saw it"
        time.sleep(0.05)


def row_of(platform: Platform, said: MessageRow) -> MessageRow:
    found = platform.ledger.message(said.id)
    assert found is not None
    return found


def answers(platform: Platform, thread: str) -> list[MessageRow]:
    return [one for one in platform.ledger.messages_of(thread) if one.origin == "api"]


def write(page: Page, text: str) -> None:
    page.locator("[data-text]").click()
    page.keyboard.insert_text(text)


def leave_the_composer(page: Page) -> None:
    page.locator("[data-text]").blur()


def test_a_comment_is_hidden_liked_and_reacted_to_and_each_is_taken_back(sign_in: SignIn, platform: Platform) -> None:
    ours = platform.own_post("aurora", "Vuelos a Lima desde 399")
    said = platform.reply(ours.thread, join(platform, "hater", "Hal Hater"), "What a rip-off")
    page = sign_in()
    open_case(page, "What a rip-off")
    leave_the_composer(page)
    comment = message(page, "What a rip-off")

    page.keyboard.press("w")
    expect(comment.locator(".hidden-mark")).to_contain_text("hidden from the public, Ana")
    assert row_of(platform, said).hidden_at is not None
    page.keyboard.press("z")
    expect(comment.locator(".hidden-mark")).to_have_count(0)
    until(lambda: row_of(platform, said).hidden_at is None)

    comment.locator('[data-do="like"]').click()
    expect(comment.locator(".liked-mark")).to_be_visible()
    assert row_of(platform, said).liked_at is not None
    expect(comment.locator('[data-do="like"]')).to_contain_text("take our like back")
    comment.locator('[data-do="like"]').click()
    expect(comment.locator(".liked-mark")).to_have_count(0)
    until(lambda: row_of(platform, said).liked_at is None)

    page.keyboard.press("y")
    page.locator("dialog [role=option]", has_text="🙏").click()
    expect(comment.locator(".reactions .is-ours")).to_have_text("🙏")
    assert row_of(platform, said).reactions == {"aurora": "🙏"}
    comment.locator('[data-do="react"]').click()
    page.locator("dialog [role=option]", has_text="Take our reaction back").click()
    expect(comment.locator(".reactions")).to_have_count(0)
    until(lambda: row_of(platform, said).reactions == {})


def test_a_customers_reaction_is_shown(sign_in: SignIn, platform: Platform) -> None:
    customer = join(platform, "rita", "Rita Reacts")
    platform.dm("aurora", customer, "Is my seat booked?")
    page = sign_in()
    open_case(page, "Is my seat booked?")
    write(page, "Yes, 12A.")
    page.keyboard.press("Control+Enter")
    thread = platform.dm_thread("aurora", customer).id
    until(lambda: bool(answers(platform, thread)))
    platform.react(answers(platform, thread)[0].id, customer, "❤️")
    expect(message(page, "Yes, 12A.").locator(".reactions")).to_have_text("❤️")


def test_only_what_the_platform_can_do_is_offered_and_only_to_who_may(sign_in: SignIn, platform: Platform) -> None:
    platform.post("aurora", join(platform, "posty", "Posty"), "Own post, cannot be hidden")
    page = sign_in()
    open_case(page, "Own post, cannot be hidden")
    post = message(page, "Own post, cannot be hidden")
    expect(post.locator('[data-do="like"]')).to_be_visible()
    expect(post.locator('[data-do="hide"]')).to_have_count(0)
    trainee = sign_in("Tina")
    open_case(trainee, "Own post, cannot be hidden")
    expect(message(trainee, "Own post, cannot be hidden").locator('[data-do="like"]')).to_have_count(0)


def test_what_is_ours_is_deleted_after_a_moment_to_take_it_back(sign_in: SignIn, platform: Platform) -> None:
    said = platform.post("aurora", join(platform, "dela", "Dela"), "Delete me not")
    page = sign_in()
    open_case(page, "Delete me not")
    write(page, "Our wrong answer")
    page.keyboard.press("Control+Enter")
    ours = message(page, "Our wrong answer")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=15000)
    leave_the_composer(page)

    page.keyboard.press("Delete")
    expect(ours).to_contain_text("deleted in")
    ours.locator('[data-do="undo-moderation"]').click()
    expect(ours).not_to_contain_text("deleted in")
    assert answers(platform, said.thread)[0].deleted_at is None

    ours.locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20000)
    expect(page.locator("[data-region=timeline]")).not_to_contain_text("Our wrong answer")
    until(lambda: answers(platform, said.thread)[0].deleted_at is not None)


def test_a_refused_act_says_why_and_an_outage_is_tried_again(
    sign_in: SignIn, platform: Platform, world: running.Running
) -> None:
    ours = platform.own_post("aurora", "Nueva ruta a Quito")
    said = platform.reply(ours.thread, join(platform, "ofe", "Ofe"), "Vaya timo")
    page = sign_in("Inés")
    open_case(page, "Vaya timo")
    comment = message(page, "Vaya timo")
    world.simulator.temper.plan(Fault("closed"))
    comment.locator('[data-do="hide"]').click()
    expect(comment.locator(".under .bad")).to_contain_text("no se pudo ocultar")
    world.simulator.temper.plan(Fault("cut_after"))
    comment.locator('[data-do="redo-moderation"]').click()
    expect(comment.locator(".hidden-mark")).to_contain_text("oculto al público", timeout=20000)
    expect(comment.locator(".under .bad")).to_have_count(0)
    assert row_of(platform, said).hidden_at is not None


def test_a_public_word_is_answered_in_public_and_then_in_private_in_one_act(
    sign_in: SignIn, platform: Platform
) -> None:
    customer = join(platform, "priv", "Petra Privada")
    said = platform.post("aurora", customer, "Third time without miles @aurora", views=4100)
    page = sign_in()
    open_case(page, "Third time without miles")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")
    write(page, "Sorry Petra, we are writing to you in private.")
    page.locator("[data-send-private]").click()
    until(lambda: len(answers(platform, said.thread)) == 1)

    expect(page.locator("[data-composer]")).to_have_attribute("data-mode", "private")
    readers = page.locator("[data-who-reads]")
    expect(readers).to_contain_text("only Petra Privada")
    expect(readers).to_contain_text("Opens a private conversation, in the same case")
    expect(readers).to_contain_text("open until")
    expect(readers).to_contain_text("0 of 1 answers used")
    expect(page.locator("[data-text]")).to_be_focused()
    write(page, "What is your booking?")
    page.keyboard.press("Control+Enter")
    asked = message(page, "What is your booking?")
    expect(asked.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=15000)
    (private,) = answers(platform, f"dm_aurora_{customer}")
    assert (private.text, private.comment) == ("What is your booking?", said.id)

    expect(page.locator(".window-line.is-closed")).to_contain_text("one private answer to a public message")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-warning]")).to_contain_text("Used up")
    expect(page.locator("[data-send]")).to_be_disabled()

    number = page.url.split("/cases/")[1].split("?")[0]
    platform.dm("aurora", customer, "It is AB12CD")
    expect(message(page, "It is AB12CD")).to_be_visible()
    assert page.url.split("/cases/")[1].split("?")[0] == number
    expect(page.locator(".window-line.is-closed")).to_have_count(0)
    expect(page.locator(".window-line")).to_contain_text("open for answers for")
    expect(page.locator("[data-send]")).to_be_enabled()


def test_what_a_message_said_before_is_unfolded_by_key_and_a_deleted_one_says_nothing(
    sign_in: SignIn, platform: Platform
) -> None:
    said = platform.post("aurora", join(platform, "edna", "Edna Edits"), "I lost 2 bags")
    page = sign_in()
    open_case(page, "I lost 2 bags")
    platform.edit(said.id, "I lost 3 bags")
    expect(message(page, "I lost 3 bags")).to_contain_text("what it said before the edit")
    platform.edit(said.id, "I lost 4 bags")
    edited = message(page, "I lost 4 bags")
    expect(edited.locator(".revisions summary")).to_contain_text("2 edits")
    expect(edited.locator(".revisions blockquote").first).to_be_hidden()
    leave_the_composer(page)
    page.keyboard.press("v")
    expect(edited.locator(".revisions blockquote")).to_have_text(["I lost 2 bags", "I lost 3 bags"])
    expect(edited.locator(".revisions blockquote").first).to_be_visible()
    expect(edited.locator(".revisions time")).to_have_count(2)
    page.keyboard.press("v")
    expect(edited.locator(".revisions blockquote").first).to_be_hidden()
    platform.delete(said.id)
    expect(page.locator(".msg.is-gone")).to_contain_text("The author deleted this message.")
    expect(page.locator("[data-region=timeline]")).not_to_contain_text("bags")


def test_a_long_answer_goes_out_as_the_posts_its_writer_saw(
    sign_in: SignIn, platform: Platform, world: running.Running
) -> None:
    said = platform.post("aurora", join(platform, "lola", "Lola Larga"), "Explain it to me")
    page = sign_in()
    open_case(page, "Explain it to me")
    write(page, LONG)
    expect(page.locator("[data-warning]")).to_contain_text("goes out as several")
    page.keyboard.press("Control+Enter")
    shown = page.locator("[data-stopped] li")
    expect(shown).to_have_count(3)
    seen = shown.all_inner_texts()
    assert answers(platform, said.thread) == []
    world.simulator.temper.plan(Fault("slow"))
    world.simulator.temper.plan(Fault("cut_after"))
    page.get_by_role("button", name="Send as 3 posts").click()
    ours = page.locator(".msg.ours", has_text="Frase 1 de")
    expect(ours).to_have_count(1)
    for number in (1, 2, 3):
        part = ours.locator('.delivery[data-state="sent"]', has_text=f"{number}/3")
        expect(part).to_have_count(1, timeout=30000)
    posts = answers(platform, said.thread)
    assert " ".join(one.text for one in posts) == LONG
    assert [one.reply_to for one in posts] == [said.id, posts[0].id, posts[1].id]
    assert seen == [f"{number}/3 · {one.text}" for number, one in enumerate(posts, 1)]


def test_after_the_window_an_approved_template_is_filled_in_read_and_sent(
    sign_in: SignIn, platform: Platform, house: House
) -> None:
    """The window closes while the case waits: what was begun stays, an approved text goes out instead."""
    marta = join(platform, "tmpl", "Marta Tarde")
    platform.dm("aurora", marta, "Sigo esperando mi maleta", at=time.time() - 8 * 24 * 3600)
    page = sign_in("Inés")
    open_case(page, "Sigo esperando mi maleta")
    write(page, "a medias")
    expect(page.locator("[data-warning]")).to_contain_text("plantilla aprobada")
    expect(page.locator("[data-send]")).to_be_disabled()

    page.locator("[data-template]").click()
    page.locator("dialog [role=option]", has_text="news_of_your_case").first.click()
    sheet = page.locator("dialog.sheet")
    expect(sheet.locator(".template-words")).to_contain_text("Hola {{name}}, hay novedades")
    sheet.locator('[name="name"]').fill("Marta")
    sheet.locator('[name="subject"]').fill("tu maleta")
    expect(sheet.locator(".template-words")).to_contain_text("Hola Marta, hay novedades sobre tu maleta")
    page.keyboard.press("Enter")
    expect(sheet).to_have_count(0)
    said = "Hola Marta, hay novedades sobre tu maleta. Responde aquí y seguimos."
    expect(message(page, said)).to_be_visible()
    until(lambda: [one.text for one in answers(platform, f"dm_aurora_{marta}")] == [said])
    expect(page.locator("[data-text]")).to_have_value("a medias")


def test_our_answer_is_corrected_where_it_stands(sign_in: SignIn, platform: Platform) -> None:
    said = platform.post("aurora", join(platform, "fix", "Fina Fix"), "@aurora when does my plane leave?")
    page = sign_in()
    open_case(page, "when does my plane leave?")
    write(page, "At ten")
    page.keyboard.press("Control+Enter")
    ours = message(page, "At ten")
    expect(ours.locator('[data-state="sent"]')).to_be_visible()
    leave_the_composer(page)
    page.keyboard.press("o")
    sheet = page.locator("dialog.sheet")
    expect(sheet.locator("textarea")).to_have_value("At ten")
    sheet.locator("textarea").fill("At ten thirty")
    page.keyboard.press("Control+Enter")
    expect(sheet).to_have_count(0)
    expect(message(page, "At ten thirty")).to_contain_text("edited")
    until(lambda: [one.text for one in answers(platform, said.thread)] == ["At ten thirty"])


def test_the_customer_sees_that_somebody_types_a_private_answer(sign_in: SignIn, platform: Platform) -> None:
    tia = join(platform, "types", "Tia Types")
    platform.dm("aurora", tia, "Is anybody there?")
    page = sign_in()
    open_case(page, "Is anybody there?")
    write(page, "Yes, one mom")
    thread = f"dm_aurora_{tia}"
    until(lambda: any(one.client_key == thread and one.outcome == "typing" for one in platform.ledger.requests()))


def test_a_picture_says_what_it_shows_to_those_who_cannot_see_it(sign_in: SignIn, platform: Platform) -> None:
    platform.dm("aurora", join(platform, "blind", "Bea Blind"), "How does the form look?")
    page = sign_in()
    open_case(page, "How does the form look?")
    write(page, "Like this")
    page.locator("[data-file]").set_input_files({"name": "form.png", "mimeType": "image/png", "buffer": PNG})
    expect(page.locator(".upload progress")).to_have_count(0)
    page.get_by_label("What form.png shows").fill("The claim form, its first field marked")
    page.locator("[data-text]").focus()
    page.keyboard.press("Control+Enter")
    picture = message(page, "Like this").locator("img").last
    expect(picture).to_have_attribute("alt", "The claim form, its first field marked")
