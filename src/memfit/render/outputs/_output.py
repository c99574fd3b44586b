"""What an output is, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

import msgspec

from memfit.render.document import Cell, Column, Document
from memfit.render.untrusted import LONGEST_NAME, clean
from memfit.render.views import find_view


def cell_text(column: Column, cell: Cell) -> str:
    """A cell's text, safe; where the column holds names and figures, short as well."""
    return clean(cell.text) if column.prose else clean(cell.text, longest=LONGEST_NAME)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call of ``render``: the record, and where it will be read.

    Attributes:
        record: what to show: a record that a view knows, or a finished ``Document``.
        view: which view, None for the record's default.
        stream: where the text will be written; decides colour, character set and, without ``width``, the width.
        width: columns of text, None to ask the stream.
    """

    record: msgspec.Struct
    view: str | None = None
    stream: TextIO | None = None
    width: int | None = None

    def document(self) -> Document:
        """The record as its view shows it.

        Raises:
            UsageError: no such view, or one for other records.
        """
        if isinstance(self.record, Document):
            return self.record
        return find_view(type(self.record), self.view).document(self.record)


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One way to put a document on a medium.

    Attributes:
        suffix: of a file that holds it, ``.html``.
        write: from a request to text, or to bytes where the medium is not text.
        aliases: other names people use.
    """

    suffix: str
    write: Callable[[Request], str | bytes]
    aliases: tuple[str, ...] = ()
