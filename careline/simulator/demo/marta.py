"""Marta: a call on Tuesday, a mail on Wednesday that nobody answered, and now a public post.

She stands on top of Ana's list.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from careline.cases.actions.assigning import assign_agent, take_case
from careline.cases.actions.closing import close_case
from careline.cases.actions.fields import set_fields
from careline.cases.actions.noting import write_note
from careline.cases.actions.tagging import tag_case
from careline.channels.base import Part
from careline.simulator.content import Language, Speech, persona, topics
from careline.simulator.demo import letters
from careline.simulator.demo.founding import ZONE
from careline.simulator.demo.telling import Telling, at_moment
from careline.simulator.records import Persona

PHONE: Final = "+34600111222"
ADDRESS: Final = "marta.ruiz@correo.example"
MARTA: Final = Persona("u_marta", "@martarg", "Marta Ruiz Gil", {"email": ADDRESS, "phone": PHONE})
OTRO: Final = Persona("u_otro", "@otro", "Óscar T. Romero")
BOOKING: Final = "K7PQ2M"
# Personas beyond the week's own and before those of the traffic; odd ones speak Spanish.
OTHERS_FROM: Final = {"es": 901, "en": 900}
POSTED_BEFORE: Final = timedelta(minutes=13)

ASKED: Final = "Hola, ¿puedo subir a bordo una mochila de 40x30x20 además del bolso?"
ANSWERED: Final = "Hola, Marta: sí, las dos cosas. Buen viaje. ^Hanna"
CALL: Final = (
    "Pide los puntos de dos viajes a Lisboa. Su billete lleva un solo apellido y la tarjeta dos. 42 minutos de espera;"
    " se le dice que escriba un correo a service@."
)
MAIL: Final = (
    "Buenos días:\n\nMe dijeron por teléfono que les escribiera. He volado dos veces a Lisboa este mes (reserva"
    f" {BOOKING}) y no aparece ni un punto en mi tarjeta. En el billete solo sale mi primer apellido.\n\n¿Me lo pueden"
    " mirar, por favor?\n\nMarta Ruiz Gil"
)
POST: Final = (
    "Tercera vez que escribo, @aurora. Dos viajes a Lisboa y ni un punto. 42 minutos al teléfono, ayer un correo"
    " que nadie contesta. ¿Hay alguien?"
)


def tell_marta(telling: Telling, now: datetime) -> None:
    """A good contact, two failed ones, the public post, and the rest of Ana's morning below it."""
    telling.platform.join(MARTA)
    telling.platform.join(OTRO)
    _known(telling, _local(now, days_ago=6, hour=11, minute=20))
    _call(telling, _local(now, days_ago=2, hour=18, minute=2))
    _mail(telling, _local(now, days_ago=1, hour=9, minute=10))
    _post(telling, now - POSTED_BEFORE)
    _others(telling, now)


def _local(now: datetime, *, days_ago: int, hour: int, minute: int) -> datetime:
    day = now.astimezone(ZoneInfo(ZONE)) - timedelta(days=days_ago)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _known(telling: Telling, at: datetime) -> None:
    """A question of last week, answered well: her account, address and phone are known to belong together."""
    row = telling.platform.dm("aurora", MARTA.id, ASKED, at=at.timestamp())
    with at_moment(at + timedelta(seconds=2)):
        telling.hear()
    case = telling.cases_of([row.id])[row.id]
    telling.answer(case, "Hanna", ANSWERED, at + timedelta(minutes=6), then="done")
    telling.settle()


def _call(telling: Telling, at: datetime) -> None:
    if "desk" not in telling.desk.channels:
        return
    part = letters.note_part(telling.view("desk"), MARTA, CALL, at, phone=PHONE, by="Luis")
    case = _heard(telling, "desk", part, at)
    luis = telling.desk.agents["Luis"]
    with at_moment(at + timedelta(minutes=42)):
        write_note(luis, case, text="Derivada a correo: no puedo ver la tarjeta desde aquí.")
        close_case(luis, case, "heard")


def _mail(telling: Telling, at: datetime) -> None:
    key = next((key for key, channel in telling.desk.channels.items() if channel.network == "email"), "")
    if not key:
        return
    part = letters.mail_part(telling.view(key), MARTA, ADDRESS, "Puntos que faltan, dos viajes a Lisboa", MAIL, at)
    case = _heard(telling, key, part, at)
    with at_moment(at + timedelta(hours=2)):
        set_fields(telling.desk.agents["Luis"], case, {"booking_reference": BOOKING})
        tag_case(telling.desk.agents["Luis"], case, add=["points"])


def _heard(telling: Telling, key: str, part: Part, at: datetime) -> int:
    """Journal and digest one part at its time; the number of its case."""
    telling.bring(key, part)
    with at_moment(at + timedelta(seconds=2)):
        telling.hear()
    said = telling.normalised(key, part)
    return telling.cases_of([said.platform_id])[said.platform_id].number


def _post(telling: Telling, at: datetime) -> None:
    row = telling.platform.post("aurora", MARTA.id, POST, views=4100, at=at.timestamp())
    telling.platform.reply(row.thread, OTRO.id, "A mí me pasó lo mismo en agosto.", at=at.timestamp() + 95)
    with at_moment(at + timedelta(seconds=100)):
        telling.hear()
    case = telling.cases_of([row.id])[row.id].number
    with at_moment(at + timedelta(minutes=3)):
        assign_agent(telling.desk.agents["Ben"], case, telling.desk.agents["Ana"].agent_id)
        tag_case(telling.desk.agents["Ben"], case, add=["points"])


def _others(telling: Telling, now: datetime) -> None:
    """Five younger cases of Ana's, in both languages, so that her list is a list."""
    speech = Speech(3)
    wanted: tuple[tuple[Language, str, float], ...] = (
        ("es", "family", 2.5),
        ("en", "seat", 2.2),
        ("es", "pets", 1.7),
        ("en", "compliment", 1.2),
        ("en", "delay", 0.8),
    )
    said = []
    for number, (language, slug, minutes) in enumerate(wanted):
        topic = next(one for one in topics(language) if one.slug == slug)
        person = persona(OTHERS_FROM[language] + 2 * number)[0]
        telling.platform.join(person)
        text = speech.fill(speech.pick(topic.opens), name=person.name)
        at = (now - timedelta(minutes=minutes)).timestamp()
        if number % 2:
            said.append(telling.platform.dm("aurora", person.id, text, at=at).id)
        else:
            said.append(telling.platform.post("aurora", person.id, f"@aurora {text}", views=60 + 90 * number, at=at).id)
    with at_moment(now - timedelta(seconds=30)):
        telling.hear()
        for case in telling.cases_of(said).values():
            take_case(telling.desk.agents["Ana"], case.number)
