"""A child whose verdicts a test writes down: for what happens around the engine. The real one is started in test_calling.py."""

from __future__ import annotations

from collections.abc import Iterable

from careline.triage.calling import Child, ChildFailed
from careline.triage.protocol import Asked, Judged, Verdict

Script = dict[str, tuple[Verdict, ...]]


class ScriptedChild(Child):
    """Answers by the first word of its script that stands in the text; a text with POISON cannot be judged."""

    def __init__(self, script: Script | None = None) -> None:
        super().__init__(["false"])
        self.script = script or {}
        self.batches: list[list[Asked]] = []
        self.learnt: list[tuple[int, str, bytes]] = []
        self.is_broken = False

    def judge(self, batch: Iterable[Asked]) -> tuple[list[Judged], str]:
        asked = list(batch)
        if self.is_broken or any("POISON" in one.text for one in asked):
            raise ChildFailed("child_gone")
        if asked:
            self.batches.append(asked)
        return [Judged(one.id, self._verdicts(one.text), vector=b"\0\0") for one in asked], "scripted-1"

    def learn(self, workspace_id: int, name: str, body: bytes) -> None:
        self.learnt.append((workspace_id, name, body))

    def close(self) -> None:
        """Nothing runs."""

    def _verdicts(self, text: str) -> tuple[Verdict, ...]:
        return next((verdicts for word, verdicts in self.script.items() if word in text), ())
