"""One model taken apart: the ledger of its memory, and where the time of a token goes."""

from __future__ import annotations

from memfit.fit.arithmetic import Arithmetic
from memfit.footprint.again import as_command
from memfit.render.document import Block, Cell, Column, Document, Fact, Facts, Note, Row, Table
from memfit.render.views import _ledger as ledger
from memfit.render.views._figures import mib, shell_command, title_words
from memfit.render.views._view import View
from memfit.speed.records import Speed

_WORDS = {"kv": "KV cache", "launches": "starting kernels", "unpacking": "unpacking weights"}


def document(found: Arithmetic) -> Document:
    """Memory first, then speed."""
    footprint = found.footprint
    blocks: list[Block] = [ledger.headline(footprint), ledger.facts(footprint), ledger.sources(footprint)]
    if found.speed is not None:
        blocks += [_speed(found.speed), _parts(found.speed)]
    blocks.append(_traffic(found))
    quality = found.row.quality
    loss = "" if quality.kl_divergence is None else f" (KL divergence {quality.kl_divergence:.4f} nats on Llama-3-8B)"
    words = f"{found.row.format} costs: {quality.words}{loss}"
    blocks.append(Note(f"{words}; {quality.source}" if quality.source else words))
    blocks.append(shell_command("the same memory again", *as_command(footprint)))
    return Document(title_words(footprint.model, footprint.device), tuple(blocks))


def _speed(speed: Speed) -> Facts:
    decode, machine = speed.decode, speed.machine
    facts = [
        ("tokens/s", f"{decode.likely:.1f}, from {decode.low:.1f} to {decode.high:.1f}"),
        ("machine", f"{machine.name}, {machine.mode}: {machine.bandwidth_bytes_per_s / 1e9:.1f} GB/s"),
        ("clocks", f"{machine.units} SMs or cores at {machine.unit_hz / 1e6:.0f} MHz"),
        ("a token touches", f"{speed.bytes_per_token / 1e9:.3f} GB; it waits mostly for {speed.bound}"),
        ("rests on", speed.source),
    ]
    if speed.prefill is not None:
        likely, low, high = speed.prefill.likely, speed.prefill.low, speed.prefill.high
        facts.insert(1, ("prompt tokens/s", f"{likely:.0f}, from {low:.0f} to {high:.0f}"))
    return Facts(tuple(Fact(name, value) for name, value in facts))


def _parts(speed: Speed) -> Table:
    rows: tuple[Row, ...] = tuple(
        (Cell(_WORDS.get(part.name, part.name)), Cell(f"{1000 * part.seconds:.2f}"))
        for part in speed.parts
        if part.seconds > 0
    )
    total = (Cell("a step"), Cell(f"{1000 * sum(part.seconds for part in speed.parts):.2f}"))
    return Table("Where the time of a step goes", (Column("for"), Column("ms", "right")), rows, (total,))


def _traffic(found: Arithmetic) -> Table:
    columns = (Column("operation"), Column("fused MiB", "right"), Column("unfused MiB", "right"))
    rows: tuple[Row, ...] = tuple(
        (Cell(one.operation.replace("_", " ")), mib(one.fused_bytes), mib(one.unfused_bytes)) for one in found.traffic
    )
    return Table("DRAM traffic of a token beside its matrices", columns, rows)


VIEW = View(record=Arithmetic, document=document, summary="one model's memory and speed, every figure with its source")
