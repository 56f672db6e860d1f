"""Who speaks, what they say, what is done about it, and therefore what must be found at the end. Data and arithmetic only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Way = Literal["mail", "chat", "post", "comment", "dm"]
Return = Literal["", "more", "thanks", "away"]
Task = Literal[
    "answer", "snippet", "note", "file", "snooze", "wait", "hand_over", "heard", "both_ways", "personal", "praise", "spam"
]  # fmt: skip
AGENTS = {"es": "Inés", "en": "Ana"}
OTHER = {"Ana": "Inés", "Inés": "Ana"}
MAILS, CHATS, SIMULATED = 60, 20, 40
CHATS_IN_A_BROWSER = 3


@dataclass(frozen=True)
class Customer:
    """One person with one problem. `code` stands in everything they say, so that agents and judges know them by it."""

    code: str
    name: str
    language: str
    way: Way
    says: str
    task: Task = "answer"
    returns: Return = ""
    brings_file: bool = False

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    @property
    def mailbox(self) -> str:
        return f"{self.code.lower()}@cust.test"

    @property
    def is_simulated(self) -> bool:
        return self.way in {"post", "comment", "dm"}

    @property
    def is_public(self) -> bool:
        return self.way in {"post", "comment"}

    @property
    def answerer(self) -> str:
        """Who answers: by language, or the colleague it is handed to. Nobody answers praise or spam."""
        if self.task in {"praise", "spam"}:
            return ""
        agent = AGENTS[self.language]
        return OTHER[agent] if self.task == "hand_over" else agent

    @property
    def greeting(self) -> str:
        """What the snippet makes of it."""
        hello = {"es": "Hola {0}, soy {1}.", "en": "Hello {0}, this is {1}."}[self.language]
        return hello.format(self.first_name, self.answerer)

    @property
    def first_words(self) -> str:
        """What follows the greeting in the first answer."""
        return {
            "es": f"Hemos revisado {self.code} y queda arreglado hoy.",
            "en": f"We have looked into {self.code} and put it right today.",
        }[self.language]

    @property
    def first_answer(self) -> str:
        return f"{self.greeting} {self.first_words}"

    @property
    def private_words(self) -> str:
        """Said to the customer alone, after a public answer."""
        return {
            "es": f"Por aquí, en privado, le mando los datos de {self.code}.",
            "en": f"Here, in private, are the details of {self.code}.",
        }[self.language]

    @property
    def says_again(self) -> str:
        """Their second message."""
        return {
            "more": {
                "es": f"Todavía tengo una pregunta sobre {self.code}: ¿cuándo llega exactamente el reembolso?",
                "en": f"I still have a question about {self.code}: when exactly will the refund arrive?",
            },
            "thanks": {
                "es": f"Muchas gracias por arreglar {self.code} tan rápido.",
                "en": f"Thank you very much for settling {self.code} so quickly.",
            },
            "away": {"es": "Estoy fuera de la oficina hasta el lunes.", "en": "I am out of the office until Monday."},
            "": {"es": "", "en": ""},
        }[self.returns][self.language]

    @property
    def second_answer(self) -> str:
        return {
            "es": f"El reembolso de {self.code} llega el viernes por la mañana.",
            "en": f"The refund for {self.code} arrives on Friday morning.",
        }[self.language]

    @property
    def answers(self) -> list[str]:
        """Everything they must receive where they spoke, in order."""
        if self.task in {"praise", "spam"}:
            return []
        return [self.first_answer, *([self.second_answer] if self.returns == "more" else [])]

    @property
    def outcome(self) -> str:
        """How their case must end, in the words of the export."""
        if self.task == "praise" or self.returns == "thanks":
            return "no_answer_needed"
        return {"spam": "spam", "heard": "heard"}.get(self.task, "solved")


_SAYINGS = {
    "es": (
        "Buenos días, mi maleta no llegó en el vuelo de ayer y nadie me contesta. Referencia {code}.",
        "Hola, cambiaron mi vuelo sin avisarme y ahora pierdo la conexión. Mi reserva es {code}.",
        "Quisiera una factura del billete {code} a nombre de mi empresa, por favor.",
        "Llevo tres semanas esperando el reembolso del viaje {code}, ¿qué ha pasado con mi dinero?",
        "No consigo elegir asiento para mi hija en la reserva {code}, la página da un error.",
        "Me cobraron dos veces el equipaje del viaje {code} y necesito que lo arreglen.",
        "¿Puedo llevar una guitarra en la cabina con el billete {code}? No lo encuentro en la web.",
    ),
    "en": (
        "Good morning, my suitcase did not arrive on yesterday's flight and nobody answers me. Reference {code}.",
        "Hello, you changed my flight without telling me and now I miss my connection. My booking is {code}.",
        "I would like an invoice for the ticket {code} in the name of my company, please.",
        "I have been waiting three weeks for the refund of the trip {code}, what happened to my money?",
        "I cannot choose a seat for my daughter in the booking {code}, the page shows an error.",
        "You charged me twice for the luggage of the trip {code} and I need you to put it right.",
        "May I take a guitar into the cabin with the ticket {code}? I cannot find it on your site.",
    ),
}
_PRAISE = {
    "es": "Qué tripulación tan amable la del vuelo {code}, enhorabuena a todo el equipo.",
    "en": "What a friendly crew on the flight {code}, congratulations to the whole team.",
}
_SPAM = "Cheap watches for everybody, buy them today and save your money with the magic number {code}!"
_FIRST = {
    "es": ("Marta", "Jorge", "Lucía", "Pablo", "Carmen", "Andrés", "Elena", "Raúl", "Pilar", "Sergio", "Nuria"),
    "en": ("Emma", "Oliver", "Grace", "Henry", "Alice", "George", "Ruby", "Arthur", "Daisy", "Frank", "Nora"),
}
_LAST = {
    "es": ("Ruiz", "Molina", "Ortega", "Castro", "Vega", "Peña", "Solís"),
    "en": ("Carter", "Hughes", "Miller", "Bennett", "Walsh", "Porter", "Shaw"),
}
_MAIL_TASKS: dict[int, Task] = {
    0: "note", 1: "note", 2: "snooze", 3: "wait", 4: "hand_over", 5: "hand_over", 6: "file", 7: "file",
    **dict.fromkeys(range(8, 14), "snippet"), 14: "heard", 15: "heard",
}  # fmt: skip
_MAIL_RETURNS: dict[int, Return] = {
    3: "more", **dict.fromkeys(range(22, 30), "more"), **dict.fromkeys(range(30, 33), "thanks"), 33: "away",
}  # fmt: skip
_FILES = range(16, 22)


def _people(
    way: Way, count: int, first_code: int, tasks: dict[int, Task], returns: dict[int, Return]
) -> list[Customer]:
    """`count` customers, Spanish and English in turn."""
    found = []
    for number in range(count):
        language, code = ("es", "en")[number % 2], f"NT{first_code + number}"
        name = f"{_FIRST[language][number // 2 % 11]} {_LAST[language][(number // 2 + first_code // 1000) % 7]}"
        says = _SAYINGS[language][number // 2 % 7].format(code=code)
        task, back = tasks.get(number, "answer"), returns.get(number, "")
        found.append(Customer(code, name, language, way, says, task, back))
    return found


def _mail() -> list[Customer]:
    people = _people("mail", 46, 1001, _MAIL_TASKS, _MAIL_RETURNS)
    people = [replace(one, brings_file=True) if number in _FILES else one for number, one in enumerate(people)]
    return [*people, Customer("NT1999", "Rich Watches", "en", "mail", _SPAM.format(code="NT1999"), "spam")]


def _comments() -> list[Customer]:
    people = _people("comment", 10, 4001, dict.fromkeys(range(5), "praise"), {})
    return [
        replace(one, says=_PRAISE[one.language].format(code=one.code)) if one.task == "praise" else one
        for one in people
    ]


def cast() -> tuple[Customer, ...]:
    """Everybody. Those whose first words open a case; one bystander comes on top (`BYSTANDER`)."""
    chats = _people(
        "chat", 20, 2001, {6: "wait", 9: "snippet"}, {0: "more", 5: "more", 6: "more", 1: "thanks", 7: "thanks"}
    )
    posts = _people("post", 13, 3001, {0: "both_ways", 1: "personal"}, {2: "more", 3: "more"})
    dms = _people("dm", 12, 5001, {2: "snippet"}, {0: "more", 1: "thanks"})
    return (*_mail(), *chats, *posts, *_comments(), *dms)


CAST = cast()
BYSTANDER = "Lo mismo me pasó a mí el verano pasado, qué desastre."


def of(*ways: Way) -> list[Customer]:
    """Those who speak this way, in order."""
    return [one for one in CAST if one.way in ways]


def by_code(code: str) -> Customer:
    """The customer of a code. Raises KeyError."""
    return {one.code: one for one in CAST}[code]


def returning(customers: Iterable[Customer] = CAST) -> list[Customer]:
    """Those who speak a second time."""
    return [one for one in customers if one.returns]


def spoken_by(*ways: Way) -> int:
    """How many messages customers hand in, over both rounds."""
    people = of(*ways)
    return len(people) + len(returning(people)) + ("post" in ways)
