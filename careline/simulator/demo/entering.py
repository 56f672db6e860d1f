"""Where the demo is and how to get in: addresses, logins, and the password of this data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from careline.simulator.demo.founding import SLUG, STAFF, mail_of

# Words that are read over the phone without spelling; four of them hold 2^28 with the number.
_WORDS: Final = (
    "amber anchor april atlas bamboo beacon birch cedar cobalt comet coral delta ember falcon fjord garnet "
    "harbor indigo ivory jasper kestrel lagoon lemon maple meadow nectar ocean olive orbit pepper quartz river"
)


class DemoInfo(msgspec.Struct, frozen=True):
    """What the command prints, and what it needs to start the simulated network."""

    address: str
    simulator_port: int
    mail_port: int
    password: str
    ledger_path: str

    @property
    def simulator_address(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port}"

    def text(self) -> str:
        """Lines for the terminal."""
        people = [f"  {mail_of(name):24} {role}" for name, role, _, _ in STAFF if role in {"agent", "lead", "owner"}]
        return "\n".join(
            [
                "",
                f"Careline      {self.address}/w/{SLUG}/",
                f"Network       {self.simulator_address}/   (SIMULATED: customers speak and answer here)",
                "",
                "Sign in as    " + mail_of("Ana"),
                f"Password      {self.password}   (the same for all, made for this data folder)",
                "",
                *people,
                "",
                "Marta's public post is on top of Ana's list. Answer her in Spanish and watch it arrive there.",
                "",
            ]
        )


def folder_password(folder: Path) -> str:
    """Made once for a data folder and readable by its owner alone."""
    path = folder / "demo-password"
    if not path.exists():
        made = "-".join([*(secrets.choice(_WORDS.split()) for _ in range(4)), str(secrets.randbelow(9000) + 1000)])
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(made)
    return path.read_text().strip()
