"""This machine, as a record names it."""

from __future__ import annotations

import os

from memfit.device.machine_key import board_model, machine_key, processor_name
from memfit.device.meminfo import read_meminfo
from memfit.host import LocalHost
from memfit.measure.records import Machine


def this_machine() -> Machine:
    """Processor or board, kernel, memory and threads."""
    host = LocalHost()
    return Machine(
        key=machine_key(host),
        cpu=processor_name(host),
        board=board_model(host),
        kernel=os.uname().release,
        total_bytes=read_meminfo(host)["MemTotal"],
        threads=os.cpu_count() or 1,
    )
