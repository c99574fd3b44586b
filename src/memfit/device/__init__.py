"""Read a machine's memory facts, or take them from a board's data sheet.

Public names come from their files when they are first used: an audit, and whoever reads processes only, needs no
data sheets of boards for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memfit.device.find import find_device
    from memfit.device.machine import this_machine
    from memfit.device.records import Device

__all__ = ["Device", "find_device", "this_machine"]

_FILES = {"Device": "records", "find_device": "find", "this_machine": "machine"}


def __getattr__(name: str) -> object:
    """A public name from its file (PEP 562)."""
    import importlib

    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    globals()[name] = found
    return found
