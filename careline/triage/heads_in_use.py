"""Brings a workspace's own heads to the child process, once a version, and again after the child was begun anew."""

from __future__ import annotations

from careline.triage.calling import Child
from careline.triage.models import FittedHead


class HeadsInUse:
    """What the child knows of each workspace: version by name."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._known: dict[int, dict[str, int]] = {}
        self._starts = 0

    def forget(self) -> None:
        """The child is another one now."""
        self._known.clear()

    def bring(self, workspace_id: int) -> None:
        """Make the child use the heads that are active now. One statement, one more for each new version."""
        if self._child.starts != self._starts:
            self._starts = self._child.starts
            self.forget()
        active = dict(
            FittedHead.objects.filter(workspace_id=workspace_id, state="active").values_list("name", "version")
        )
        known = self._known.setdefault(workspace_id, {})
        for name in [name for name in known if name not in active]:
            self._child.learn(workspace_id, name, b"")
            del known[name]
        for name, version in active.items():
            if known.get(name) != version:
                head = FittedHead.objects.get(workspace_id=workspace_id, name=name, version=version)
                self._child.learn(workspace_id, name, bytes(head.body))
                known[name] = version
        self._starts = self._child.starts
