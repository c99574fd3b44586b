"""One renderer for every record: views choose what is shown, outputs how.

::

    record --view--> Document --output--> terminal | html | markdown | svg | png
       `------------------------output--> json

``render`` is the whole of it. A new record needs one file in ``views``; a new medium one file in ``outputs``.
"""

from __future__ import annotations

from typing import Any, TextIO

import msgspec

from memfit.render.document import Document
from memfit.render.outputs import OUTPUTS, Request
from memfit.render.views import VIEWS, find_view, record_name

__all__ = ["OUTPUTS", "VIEWS", "Document", "find_view", "record_names", "render", "schema"]


def render(
    record: msgspec.Struct,
    output: str = "terminal",
    *,
    view: str | None = None,
    stream: TextIO | None = None,
    width: int | None = None,
) -> str | bytes:
    """Show a record.

    Args:
        record: a record that a view knows, such as ``Footprint``, or a finished ``Document``.
        output: key of ``OUTPUTS``: ``terminal``, ``json``, ``html``, ``markdown``, ``svg``, ``png``.
        view: key of ``VIEWS``; None takes the one with the record's own name. JSON has no views.
        stream: where the caller will write it. Decides colour, character set and width of ``terminal``; nothing is
            written to it here.
        width: columns of ``terminal``; None asks the stream.

    Returns:
        Text, or bytes for ``png``.

    Raises:
        UnknownName: no such output or view.
        UsageError: the view shows other records, or has no picture to draw.
        MemfitError: the output needs something that is not installed.
    """
    return OUTPUTS.get(output).write(Request(record=record, view=view, stream=stream, width=width))


def record_names() -> tuple[str, ...]:
    """Names that ``schema`` knows: every record that a view shows, and every record inside those."""
    return tuple(sorted(_records()))


def schema(name: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a record, by a name such as ``footprint`` or ``curve_point``.

    Raises:
        UnknownName: no such record.
    """
    from memfit.catalog import fold
    from memfit.errors import UnknownName

    records = _records()
    joined = {key.replace("_", ""): record for key, record in records.items()}
    record = joined.get(fold(name).replace("_", ""))
    if record is None:
        raise UnknownName("record", name, records)
    described = msgspec.json.schema(record)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": record.__name__, **described}


def _records() -> dict[str, type]:
    import msgspec.inspect as inspection

    found: dict[str, type] = {}

    def visit(part: Any) -> None:
        if isinstance(part, inspection.StructType) and part.cls not in found.values():
            found[record_name(part.cls)] = part.cls
            for field in part.fields:
                visit(field.type)
        for inner in ("item_type", "types", "item_types", "key_type", "value_type"):
            held = getattr(part, inner, ())
            for one in held if isinstance(held, tuple) else (held,):
                visit(one)

    for each in VIEWS:
        visit(inspection.type_info(each.record))
    return found
