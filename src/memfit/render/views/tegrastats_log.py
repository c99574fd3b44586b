"""A log of tegrastats: memory, load, temperature, power and clocks over time."""

from __future__ import annotations

from memfit.device.tegrastats_log import TegrastatsLog
from memfit.errors import UsageError
from memfit.render.document import Block, Bullets, Document, Fact, Facts, Headline
from memfit.render.views._figures import gib
from memfit.render.views._traces import extremes, timelines
from memfit.render.views._view import View


def document(log: TegrastatsLog) -> Document:
    """The peak first, then the pictures and every figure's extremes.

    Raises:
        UsageError: nothing in it is tegrastats.
    """
    used = log.find("used", "bytes")
    if used is None:
        raise UsageError(
            f"{log.name}: no line of it is tegrastats' ({log.skipped} were read)",
            hint="record one: sudo tegrastats --logfile tegrastats.log",
        )
    whole = log.total_bytes or 0
    says = f"of {gib(whole)}, {gib(whole - round(used.most))} were left; on the mean {gib(round(used.mean))} used"
    headline = Headline(f"{gib(round(used.most))} used at most", "neutral", says)
    pictures = timelines(
        log.times_s, log.series, total_bytes=log.total_bytes, units=("bytes", "percent", "c", "mw", "hz")
    )
    blocks: list[Block] = [headline, _facts(log), *pictures, extremes(log.series)]
    if log.unread:
        words = ", ".join(log.unread[:8])
        blocks.append(Bullets((f"of no known shape, and left out: {words}",), tone="warn", title="Not read"))
    return Document(log.name, tuple(blocks))


def _facts(log: TegrastatsLog) -> Facts:
    length = f"{log.times_s[-1]:.0f} s" if log.times_s else "no time"
    spacing = "by its stamps" if log.stamped else f"without stamps, {log.interval_s:g} s a line taken for granted"
    skipped = f"; {log.skipped} other lines" if log.skipped else ""
    thinned = f"; {log.lines_per_point} lines a point" if log.lines_per_point > 1 else ""
    items = [Fact("lines", f"{log.samples} over {length}, {spacing}{skipped}{thinned}")]
    if log.started is not None:
        items.append(Fact("began", log.started))
    # tegrastats' own count, which is not that of MemAvailable
    items.append(Fact("used", "MemTotal less free, buffers and cached, as tegrastats counts: slab is in it"))
    return Facts(tuple(items))


VIEW = View(record=TegrastatsLog, document=document, summary="a log of tegrastats over time")
