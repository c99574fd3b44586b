"""A machine followed live: the map, the last minutes, and who holds most."""

from __future__ import annotations

from memfit.device.audit_watch import Watch
from memfit.render.document import Block, Document, Fact, Facts
from memfit.render.views import _audit as part
from memfit.render.views._holders import holder_table, holders
from memfit.render.views._traces import timelines
from memfit.render.views._view import View
from memfit.render.views.audit import memory_map

_MOST_HOLDERS = 6


def document(watch: Watch) -> Document:
    """What fits on one screen."""
    audit = watch.audit
    blocks: list[Block] = [part.headline(audit), memory_map(audit)]
    blocks += timelines(watch.times_s, watch.series, total_bytes=audit.linux_bytes, units=("bytes",))
    now = [Fact(each.name, _now(each.values, each.unit)) for each in watch.series if each.unit != "bytes"]
    if now:
        blocks.append(Facts(tuple(now)))
    if audit.processes:
        blocks.append(holder_table(holders(audit), most=_MOST_HOLDERS))
    return Document(part.title(audit), tuple(blocks))


def _now(values: tuple[float | None, ...], unit: str) -> str:
    value = values[-1]
    if value is None:
        return "unknown"
    return {"percent": f"{value:.0f} %", "c": f"{value:.1f} °C", "mw": f"{value / 1000:.1f} W"}.get(unit, f"{value:g}")


VIEW = View(record=Watch, document=document, summary="a machine followed live")
