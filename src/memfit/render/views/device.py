"""A device: how much memory a deployment may take there, and why."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.render.document import Document, Fact, Facts
from memfit.render.views._figures import gib
from memfit.render.views._ledger import device_map
from memfit.render.views._view import View


def document(device: Device) -> Document:
    """Facts and the map of its DRAM."""
    known = (
        ("memory", "unified: CPU and GPU share it" if device.unified else "CPU and GPU have memories of their own"),
        ("on the module", None if device.physical_bytes is None else gib(device.physical_bytes)),
        ("MemTotal", None if device.total_bytes is None else gib(device.total_bytes)),
        ("OS", gib(device.os_bytes) if device.os_bytes else None),
        ("for deployments", gib(device.capacity_bytes)),
        ("CPU", f"{device.threads} threads, {' '.join(device.instructions) or 'no extensions known'}"),
        ("GPU", device.gpu),
        ("known from", f"{device.source} ({device.grade})"),
    )
    facts = Facts(tuple(Fact(name, value) for name, value in known if value is not None))
    return Document(device.name, (facts, device_map(device, device.capacity_bytes, ())))


VIEW = View(record=Device, document=document, summary="what a device has and what is left for deployments")
