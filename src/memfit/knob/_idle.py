"""What idles: memory of programs that swap could take while a model is served."""

from __future__ import annotations

from memfit.device.audit_records import Audit, ProcessRow

# what serves, what leads here, and what asks
_AWAKE = ("inference", "ssh", "memfit")
_MOST_NAMES = 3


def idle_rows(audit: Audit) -> tuple[ProcessRow, ...]:
    """Processes that serve no model and are no way in, the largest first."""
    rows = [row for row in audit.processes if row.role not in _AWAKE and row.anonymous_bytes]
    return tuple(sorted(rows, key=lambda row: -row.anonymous_bytes))


def idle_bytes(audit: Audit) -> int:
    """Their memory that is of no file: what of it is used all the time nobody counts, so it is a bound."""
    return sum(row.anonymous_bytes for row in idle_rows(audit))


def idle_names(audit: Audit) -> str:
    """The largest of them, for evidence."""
    names = list(dict.fromkeys(row.name for row in idle_rows(audit)))
    return ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
