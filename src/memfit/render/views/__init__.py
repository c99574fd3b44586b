"""Views, one file each: from a record to a document."""

import re
from pathlib import Path

from memfit.catalog import Catalog
from memfit.errors import UsageError
from memfit.render.views._view import View

VIEWS: Catalog[View] = Catalog(__name__, Path(__file__).parent, constant="VIEW", kind="view", type=View)

_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def find_view(record_type: type, name: str | None = None) -> View:
    """The view of this name, or the default one of this type of record.

    Raises:
        UnknownName: no view of that name.
        UsageError: it shows other records, or no view shows such records.
    """
    key = record_name(record_type) if name is None else name
    if name is None and key not in VIEWS:
        raise UsageError(f"no view shows a {record_type.__name__}", hint=f"views: {', '.join(VIEWS.keys())}")
    view = VIEWS.get(key)
    if not issubclass(record_type, view.record):
        fitting = ", ".join(key for key, other in VIEWS.items() if issubclass(record_type, other.record))
        raise UsageError(
            f"view {key!r} shows a {view.record.__name__}, not a {record_type.__name__}",
            hint=f"views of a {record_type.__name__}: {fitting or 'none'}",
        )
    return view


def record_name(record_type: type) -> str:
    """``curve_point`` for ``CurvePoint``: how a record is called in file names and on the command line."""
    return _INNER_CAPITAL.sub("_", record_type.__name__).lower()


__all__ = ["VIEWS", "View", "find_view", "record_name"]
