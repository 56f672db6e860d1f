"""The simulated network's other side: the platform itself, its customers, the demo and the load.

Nothing in the product imports it, save the command that starts a demo. Importing this module imports no Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from careline.simulator.running import Running

if TYPE_CHECKING:
    from careline.simulator.demo.entering import DemoInfo

__all__ = ["DemoInfo", "Running", "prepare_demo", "run_simulator"]


def prepare_demo(hook_base_url: str) -> DemoInfo:
    """Fill an empty data folder with Aurora Air, or open the demo that is there. Needs Django and a migrated database.

    Raises Conflict('demo_refused') where a real workspace or channel is.
    """
    from careline.simulator.demo import preparing

    return preparing.prepare_demo(hook_base_url)


def run_simulator(info: DemoInfo, *, hook_base_url: str, is_quiet: bool = False) -> Running:
    """Start the simulated network of a demo in threads of this process. `stop()` ends it; its ledger stays.

    Quiet: nobody new speaks, but whoever is answered answers back.
    """
    from careline.simulator.demo import starting

    return starting.start_network(info, hook_base_url=hook_base_url, is_quiet=is_quiet)
