"""Audits of written Jetsons, one of them followed for a minute, and a log of tegrastats."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import msgspec
from trees import write_tree

from memfit.device.audit import audit
from memfit.device.audit_records import Audit
from memfit.device.audit_watch import Watch
from memfit.device.tegrastats_log import Series, SeriesUnit, TegrastatsLog, parse_log
from memfit.units import GIB, MIB

_LINE = (
    "01-04-2025 16:02:{second:02d} RAM {used}/7620MB (lfb 1x4MB) SWAP 286/3810MB (cached 1MB) CPU [{load}%@1036] "
    "EMC_FREQ 10%@2133 GR3D_FREQ {load}%@{clock} cpu@{heat}C VDD_IN {power}mW/4968mW"
)


@functools.cache
def audited(name: str) -> Audit:
    """The audit of a written tree, at a time that does not change."""
    with tempfile.TemporaryDirectory() as folder:
        found = audit(write_tree(name, Path(folder)))
    return msgspec.structs.replace(found, taken="2026-11-25T01:00:00+00:00")


def log(lines: int = 30) -> TegrastatsLog:
    """A line a second, everything rising."""
    return parse_log(
        (
            _LINE.format(
                second=n, used=1000 + 100 * n, load=3 * n, clock=300 + n, heat=40 + n / 10, power=5000 + 100 * n
            )
            for n in range(lines)
        ),
        name="stats.log",
    )


def series(name: str, unit: SeriesUnit, *values: float | None) -> Series:
    """A series with the figures that follow from its values."""
    known = [value for value in values if value is not None]
    return Series(name=name, unit=unit, values=values, least=min(known), most=max(known), mean=sum(known) / len(known))


def watched() -> Watch:
    """A minute of an Orin Nano that loads a model."""
    times = tuple(float(second) for second in range(60))
    return Watch(
        audit=audited("orin-nano-8gb-desktop"),
        times_s=times,
        series=(
            series("used", "bytes", *(1.5 * GIB + min(second, 40) * 64 * MIB for second in times)),
            series("programs", "bytes", *(0.3 * GIB + min(second, 40) * 4 * MIB for second in times)),
            series("GPU", "percent", None, *(99.0 if second > 40 else 0.0 for second in times[1:])),
            series("VDD_IN", "mw", *(5000.0 + 100 * second for second in times)),
        ),
    )


AUDITED = {"audited": audited("orin-nano-8gb-desktop"), "watched": watched(), "tegrastats": log()}
