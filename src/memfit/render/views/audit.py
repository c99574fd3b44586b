"""An audit: where the memory is, who holds it, what could be taken back, and the preflight list."""

from __future__ import annotations

from memfit.device.audit_records import Audit, Layer
from memfit.render.document import Block, Details, Document, MemoryMap, Role, Segment
from memfit.render.views import _audit as part
from memfit.render.views._facts import facts
from memfit.render.views._figures import gib
from memfit.render.views._holders import holder_table, holders
from memfit.render.views._view import View

_MOST_HOLDERS = 12
_ROLES: dict[Layer, Role] = {"firmware": "system", "boot": "system", "free": "free"}


def document(audit: Audit) -> Document:
    """The answer first: what is left; then the map, the tables, and what mends what failed."""
    blocks: list[Block] = [part.headline(audit), facts(audit)]
    if audit.terms:
        blocks += [memory_map(audit), part.layers(audit)]
    if audit.processes:
        blocks.append(holder_table(holders(audit), most=_MOST_HOLDERS))
    if any(knob.applies and knob.saves for knob in audit.knobs):
        blocks.append(part.knobs(audit))
    blocks += part.asked_knobs(audit)
    if part.beside_knobs(audit):
        blocks.append(part.reclaims(audit))
    if audit.advice:
        blocks.append(part.advice(audit))
    if audit.checks:
        blocks += [part.checks(audit, all_of_them=False), *part.mends(audit)]
    if audit.engines:
        summary = "engines that run on this stack, from which version, and every item of the list"
        blocks.append(Details(summary, (part.engines(audit),), view="checks"))
    if audit.explanations:
        summary = f"known causes of {gib(audit.unexplained_bytes or 0)} that no counter shows, and every term's source"
        blocks.append(Details(summary, (part.causes(audit),), view="explain"))
    return Document(part.title(audit), (*blocks, *part.unseen(audit)))


def memory_map(audit: Audit) -> MemoryMap:
    """Physical memory from the bottom up, layer by layer."""
    whole = audit.physical_bytes or audit.linux_bytes or 1
    segments = []
    rest = audit.unexplained_bytes or 0
    for layer, name in part.LAYERS.items():
        size = sum(term.bytes for term in audit.terms if term.layer == layer)
        if layer == "free" and rest > 0:
            segments.append(Segment(name="unexplained", bytes=rest))
        if size:
            segments.append(Segment(name=name, bytes=size, role=_ROLES.get(layer, "use")))
    free = sum(term.bytes for term in audit.terms if term.layer == "free")
    return MemoryMap(
        title="Physical memory",
        description=f"Of {gib(whole)}, {gib(free)} are free and {gib(rest)} unexplained.",
        segments=tuple(segments),
        total_bytes=whole,
        total_name="physical",
    )


VIEW = View(record=Audit, document=document, summary="where the memory of a device is, and what could be taken back")
