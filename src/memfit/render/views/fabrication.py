"""A model made at its real size: what is in the file, and how it can be made again."""

from __future__ import annotations

from memfit.model.fabricate import Fabrication
from memfit.model.shape import Tokenizer
from memfit.render.document import Bullets, Cell, Column, Document, Fact, Facts, Headline, Note, Row, Table
from memfit.render.views._figures import gib, mib, parameter_words, shell_command
from memfit.render.views._view import View
from memfit.units import format_bytes

_SENSELESS = "the weights are random: the size, memory and speed are the model's, what it writes is not"


def document(made: Fabrication) -> Document:
    """The file, its formats, and what to do with it."""
    rate = made.bytes / made.duration_s if made.duration_s > 0 else 0
    head = Headline("made", "ok", f"{gib(made.bytes)} in {made.duration_s:.1f} s, {format_bytes(int(rate))} a second")
    facts = (
        ("file", made.path),
        ("model", f"{made.model} · {made.architecture} · {parameter_words(made.parameters)} parameters"),
        ("layers", _layers(made)),
        ("format", made.format or "as in the file it follows"),
        ("vocabulary", _vocabulary(made.vocabulary)),
        ("seed", str(made.seed)),
        ("SHA-256", made.sha256),
    )
    columns = (Column("weights"), Column("tensors", "right"), Column("MiB", "right"))
    rows: tuple[Row, ...] = tuple(
        (Cell(share.format), Cell(str(share.tensors)), mib(share.bytes)) for share in made.formats
    )
    tensors = sum(share.tensors for share in made.formats)
    total = (Cell("all"), Cell(str(tensors)), mib(made.weights_bytes))
    replaced = tuple(
        f"{fallback.wanted} became {fallback.format} in {fallback.tensors} of {tensors} tensors: their rows are no"
        " whole number of its blocks"
        for fallback in made.fallbacks
    )
    return Document(
        made.model,
        (
            head,
            Facts(tuple(Fact(name, value) for name, value in facts)),
            Table("Formats", columns, rows, (total,)),
            *([Bullets(replaced, "neutral", "As llama.cpp's quantizer falls back")] if replaced else []),
            Note(_SENSELESS),
            shell_command("run it under the memory of a device", "memfit", "verify", made.path),
        ),
    )


def _layers(made: Fabrication) -> str:
    if made.layers == made.layers_whole:
        return str(made.layers) if made.layers else "unknown to memfit"
    return f"{made.layers} of {made.layers_whole}"


def _vocabulary(found: Tokenizer | None) -> str:
    if found is None:
        return "none: tokens by number only"
    merges = f", {found.merges} merges" if found.merges else ""
    return f"{found.kind}: {found.tokens} tokens{merges}"


VIEW = View(record=Fabrication, document=document, summary="a model made at its real size, with random weights")
