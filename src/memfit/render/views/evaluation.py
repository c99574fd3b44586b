"""A model's quality beside its base's."""

from __future__ import annotations

from memfit.render.document import Block, Bullets, Cell, Column, Document, Fact, Facts, Headline, Row, Table
from memfit.render.views._figures import gib
from memfit.render.views._quality import kl_words, percent, ratio_words
from memfit.render.views._view import View
from memfit.search.records import Evaluation, TaskResult


def document(found: Evaluation) -> Document:
    """The answer, what it was measured on, and tasks."""
    quality = found.quality
    if quality.kl_mean is not None:
        low, high = quality.kl_ci95 or (quality.kl_mean, quality.kl_mean)
        head = Headline(
            "measured", "neutral", f"KL divergence {quality.kl_mean:.4g} nats a token ({low:.4g} to {high:.4g})"
        )
    else:
        low, high = quality.perplexity_ci95
        head = Headline("measured", "neutral", f"perplexity {quality.perplexity:.4f} ({low:.3f} to {high:.3f})")
    rows: list[tuple[str, str]] = [("model", f"{found.model}, {gib(found.bytes)}")]
    if found.base is not None:
        size = "" if found.base_bytes is None else f", {gib(found.base_bytes)}"
        rows.append(("base", f"{found.base}{size}"))
    if quality.kl_mean is not None:
        rows += [
            ("KL divergence", kl_words(quality)),
            ("in one of a hundred", f"{quality.kl_p99:.4g} nats and more" if quality.kl_p99 is not None else "unknown"),
            ("same likeliest token", percent(quality.top1)),
        ]
    rows.append(("perplexity", _perplexity(found)))
    if found.memory_bytes is not None:
        rows.append(("memory here, likely", f"{gib(found.memory_bytes)} at a context of {found.text.window_tokens}"))
    if found.speed is not None:
        prefill, decode = found.speed.prefill_tokens_per_s, found.speed.decode_tokens_per_s
        rows.append(("speed here", f"prompt {prefill:.0f} tokens/s, answer {decode:.1f} tokens/s"))
    rows += [
        ("text", f"{found.text.name}, {found.text.tokens:,} tokens, SHA-256 {found.text.sha256[:16]}"),
        ("counted", f"{quality.tokens:,} predictions in {found.text.windows} windows of {found.text.window_tokens}"),
        ("engine", found.engine),
        ("took", f"{found.seconds:.1f} s"),
    ]
    blocks: list[Block] = [head, Facts(tuple(Fact(*row) for row in rows))]
    if found.tasks:
        blocks.append(tasks_table(found.tasks))
    if found.notes:
        blocks.append(Bullets(found.notes, "neutral", "What to know"))
    return Document("Quality", tuple(blocks))


def _perplexity(found: Evaluation) -> str:
    quality = found.quality
    if quality.base_perplexity is None:
        return f"{quality.perplexity:.4f}"
    return f"{quality.perplexity:.4f}, the base's {quality.base_perplexity:.4f}: {ratio_words(quality)}"


def tasks_table(tasks: tuple[TaskResult, ...]) -> Table:
    """Right answers of each file."""
    columns = (
        Column("tasks"),
        Column("right", "right"),
        Column("base", "right"),
        Column("lost", "right"),
        Column("won", "right"),
        Column("p", "right"),
    )
    return Table("Tasks", columns, tuple(map(_task, tasks)))


def _task(one: TaskResult) -> Row:
    return (
        Cell(one.file),
        Cell(f"{one.right} of {one.tasks}"),
        Cell("" if one.base_right is None else str(one.base_right)),
        Cell("" if one.lost is None else str(one.lost)),
        Cell("" if one.won is None else str(one.won)),
        Cell("" if one.p_value is None else f"{one.p_value:.2g}"),
    )


VIEW = View(record=Evaluation, document=document, summary="a model's quality beside its base's")
