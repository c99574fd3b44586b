"""What processes would give back if they ended, from this device's own figures."""

from __future__ import annotations

from collections.abc import Iterable

from memfit.device.audit_records import Audit, ProcessRow
from memfit.knob.records import Gain
from memfit.units import format_bytes


def gain_of(audit: Audit, rows: Iterable[ProcessRow]) -> Gain:
    """Their anonymous memory is surely theirs alone; NvMap's and what the kernel keeps for them comes back too.

    Pages of files that they map stay in the cache, where MemAvailable counts them already: at the high end some of
    those were locked or shared memory.
    """
    rows = tuple(rows)
    pids = {row.pid for row in rows}
    on_gpu = sum(client.bytes for client in audit.nvmap if client.pid in pids)
    anonymous = sum(row.anonymous_bytes for row in rows)
    kernel = sum(row.kernel_bytes for row in rows)
    share = sum(row.rss_bytes if row.pss_bytes is None else row.pss_bytes for row in rows)
    if not rows:
        return Gain(evidence="nothing of it runs")
    names = ", ".join(dict.fromkeys(row.name for row in rows[:3]))
    count = "1 process" if len(rows) == 1 else f"{len(rows)} processes"
    told = f", {format_bytes(on_gpu)} in NvMap" if on_gpu else ""
    return Gain(
        low_bytes=anonymous + on_gpu,
        likely_bytes=anonymous + sum(row.shared_bytes for row in rows) + kernel + on_gpu,
        high_bytes=share + kernel + on_gpu,
        evidence=f"{count} ({names}): {format_bytes(share)} PSS{told}",
    )
