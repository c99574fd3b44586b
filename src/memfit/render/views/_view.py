"""What a view is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from memfit.render.document import Document


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One way to show one type of record.

    A view only reads: it adds up for display and chooses words, it never predicts. The file that carries a record's own
    name (``footprint.py`` for ``Footprint``) is that record's default view.

    Attributes:
        record: the class of records it shows.
        document: from a record of that class to a document.
        summary: when to choose it, in one line.
    """

    record: type[msgspec.Struct]
    document: Callable[[Any], Document]
    summary: str
