"""Starts the simulated network of a demo: the platform on its port, and its customers."""

from __future__ import annotations

from careline.events.recording import unit_of_work
from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.demo.entering import DemoInfo
from careline.simulator.demo.founding import SLUG, open_desk, point_channels
from careline.simulator.traffic import Traffic
from careline.workspaces.models import Workspace


def start_network(info: DemoInfo, *, hook_base_url: str, is_quiet: bool) -> running.Running:
    """The platform at its port (another one when somebody took it meanwhile), with customers who answer."""
    started = _start(info)
    mail_port = started.simulator.mail_port or 0
    if (started.port, mail_port) != (info.simulator_port, info.mail_port):
        desk = open_desk(Workspace.objects.get(slug=SLUG, is_demo=True))
        with unit_of_work() as work:
            point_channels(work, desk, started.address, mail_port)
    for app in started.simulator.ledger.apps():
        path = app.hook_url.split("/hooks/", 1)[1]
        accounts = started.simulator.ledger.accounts(app.id)
        moved = type(app)(app.id, f"{hook_base_url}/hooks/{path}", app.hook_secret, app.token)
        started.simulator.ledger.save_app(moved, accounts)
    traffic = Traffic(started.simulator.platform, seed=len(started.simulator.ledger.people()))
    started.add_companion(traffic)
    if is_quiet:
        traffic.listen_only()
    else:
        traffic.start()
    return started


def _start(info: DemoInfo) -> running.Running:
    """At the ports that were chosen, or at free ones when somebody took them meanwhile."""
    try:
        return running.start(
            info.ledger_path, port=info.simulator_port, behaviour=Behaviour(), mail_port=info.mail_port
        )
    except OSError:
        return running.start(info.ledger_path, behaviour=Behaviour(), mail_port=0)
