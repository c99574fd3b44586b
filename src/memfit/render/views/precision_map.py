"""What a search for the lowest precision decided: the answer, what competed, what every tensor got, and why."""

from __future__ import annotations

import re

from memfit.precision.formats import FORMATS
from memfit.render.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Document,
    Fact,
    Facts,
    Headline,
    Heat,
    HeatMap,
    Row,
    Scatter,
    Spot,
    Table,
)
from memfit.render.views._figures import gib, mib, shell_command
from memfit.render.views._quality import kl_words, percent, ratio_words
from memfit.render.views._view import View
from memfit.search.records import Asked, Candidate, Given, PrecisionMap
from memfit.units import MIB

_BLOCK = re.compile(r"^blk\.(\d+)\.(.+?)(?:\.weight)?$")
_MOST_BITS = 8.5  # what is stored in more is as dark as that


def document(found: PrecisionMap) -> Document:
    """The answer first."""
    blocks: list[Block] = [_headline(found), Facts(tuple(Fact(*row) for row in _facts(found)))]
    if found.candidates:
        blocks.append(_table(found))
        if any(one.quality for one in found.candidates):
            blocks.append(_plot(found))
    if found.caches:
        blocks.append(_caches(found))
    if found.tensors:
        blocks += [heat_map(found.tensors), Details("What every tensor got, and why", (_tensors(found.tensors),))]
    blocks.append(Bullets(found.notes, "neutral", "What this does not promise"))
    if found.out is not None and found.recovered is None:
        record = re.sub(r"\.[^./]*$", "", found.out) + ".precision.json"
        again = ("memfit", "quantize", found.model, "--recipe", record, "--out", "again.gguf")
        blocks.append(shell_command("the same file again, bit for bit", *again))
    return Document("Precision", tuple(blocks))


def _headline(found: PrecisionMap) -> Headline:
    if found.chosen is not None and found.bytes is not None:
        saved = 1 - found.bytes / found.model_bytes
        words = f"{gib(found.bytes)} instead of {gib(found.model_bytes)} ({saved:.0%} less)"
        if found.quality is not None:
            words += f", KL {kl_words(found.quality)}"
        name = "mixed formats" if found.chosen == "searched" else found.chosen
        return Headline(name, "ok", words)
    asked = found.asked
    if not asked.floors and all(one is None for one in (asked.max_bytes, asked.min_tokens_per_s, asked.max_ttft_s)):
        return Headline("measured", "neutral", "every preset beside its base; a --floor would choose one")
    most, least = asked.max_bytes, found.least_bytes
    if most is not None and most <= 0 and least is None:
        return Headline("does not fit", "bad", _no_room_words(found.asked, most))
    if most is not None and least is not None and least > most:
        than = f"{most} were asked" if most else f"for which {found.asked.device} has no room"
        words = f"the smallest file these formats allow has {least} bytes, {than}"
        return Headline("nothing is so small", "bad", words)
    place = found.nearest, found.nearest_bytes  # a search may have tried several mixes
    nearest = next((one for one in found.candidates if (one.name, one.bytes) == place), None)
    if nearest is None:
        return Headline("nothing holds", "bad", "no candidate could be measured")
    lacking = [
        *(f"{one.floor}: {one.measured:.4g}" for one in nearest.held if not one.holds),
        *_too_slow(found, nearest),
    ]
    if most is not None and nearest.bytes > most:
        lacking.append(f"{gib(most)} were asked")
    broken = ", ".join(lacking)
    return Headline(
        "nothing holds", "bad", f"nearest is {nearest.name} with {gib(nearest.bytes)}{f' ({broken})' if broken else ''}"
    )


def _no_room_words(asked: Asked, left_bytes: int) -> str:
    words = f"a context of {asked.context_tokens} tokens alone takes"
    if not left_bytes:
        return f"{words} all that {asked.device} has"
    return f"{words} {gib(-left_bytes)} more than {asked.device} has, before any weights"


def _too_slow(found: PrecisionMap, one: Candidate) -> list[str]:
    """What it lacks of the speed that was asked for."""
    asked, speed, words = found.asked, one.speed, []
    if speed is None:
        return []
    if asked.min_tokens_per_s is not None and speed.decode_tokens_per_s < asked.min_tokens_per_s:
        words.append(f"too slow: {speed.decode_tokens_per_s:.4g} tokens/s")
    first_s = asked.ttft_tokens / speed.prefill_tokens_per_s
    if asked.max_ttft_s is not None and first_s > asked.max_ttft_s:
        words.append(f"too slow: first token after {first_s:.2g} s")
    return words


def _facts(found: PrecisionMap) -> list[tuple[str, str]]:
    asked = found.asked
    wishes = [one.written for one in asked.floors]
    if asked.max_bytes is not None and asked.max_bytes > 0:
        wishes.append(f"at most {gib(asked.max_bytes)} ({asked.max_bytes} bytes)")
    if asked.device is not None:
        wishes.append(f"fits {asked.device} at a context of {asked.context_tokens}")
    if asked.min_tokens_per_s is not None:
        wishes.append(f"{asked.min_tokens_per_s:g} tokens/s and more")
    if asked.max_ttft_s is not None:
        wishes.append(f"first token of {asked.ttft_tokens} within {asked.max_ttft_s:g} s")
    rows = [
        ("asked", "; ".join(wishes) or "what each preset costs"),
        ("base", f"{found.model}, {gib(found.model_bytes)}"),
    ]
    if found.out is not None and found.sha256 is not None:
        rows.append(("file", f"{found.out}, {found.bytes} bytes, SHA-256 {found.sha256[:16]}"))
    rows += [(f"floor {one.floor}", f"{one.measured:.4g}: {'holds' if one.holds else 'broken'}") for one in found.held]
    if found.predicted_kl is not None and found.quality is not None and found.quality.kl_mean:
        off = found.predicted_kl / found.quality.kl_mean - 1
        rows.append(("predicted KL", f"{found.predicted_kl:.4g}, {off:+.1%} of what was measured".replace("%", " %")))
    if found.recovered is not None:
        one = found.recovered
        words = f"KL {one.loss_before:.4g} to {one.loss_after:.4g} on text it did not train on, {one.tokens:,} tokens"
        rows.append(("recovered", f"{words}, {one.seconds:.0f} s on {one.device}"))
    if found.quality is not None:
        rows.append(("perplexity", ratio_words(found.quality)))
        rows.append(("same likeliest token", percent(found.quality.top1)))
    if found.text is not None:
        rows.append(("searched on", f"{found.text.name}, SHA-256 {found.text.sha256[:16]}"))
    if found.unseen is not None:
        rows.append(("measured on", f"{found.unseen.name}, {found.unseen.windows} windows that the search did not see"))
    if found.engine is not None:
        rows.append(("engine", found.engine))
    rows.append(("took", f"{found.seconds:.1f} s"))
    return rows


def _table(found: PrecisionMap) -> Table:
    timed = any(one.speed for one in found.candidates)
    predicted = any(one.predicted_kl for one in found.candidates)
    columns = (
        Column("format"),
        Column("MiB", "right"),
        *((Column("KL predicted", "right", spare=True),) if predicted else ()),
        Column("KL", "right"),
        Column("95 %", "right", spare=True),
        Column("perplexity", "right", spare=True),
        Column("same token", "right", spare=True),
        *((Column("tok/s", "right"),) if timed else ()),
        Column("", prose=True),
    )
    rows = tuple(_row(found, one, timed=timed, predicted=predicted) for one in found.candidates)
    return Table("What competed, by bytes" if found.method == "searched" else "The ladder", columns, rows)


def _row(found: PrecisionMap, one: Candidate, *, timed: bool, predicted: bool) -> Row:
    quality = one.quality
    low, high = quality.kl_ci95 if quality and quality.kl_ci95 else (None, None)
    said = one.why_not or _remark(found, one)
    return (
        Cell(one.name, quiet=quality is None),
        mib(one.bytes) if one.bytes else Cell(""),
        *((Cell("" if not one.predicted_kl else f"{one.predicted_kl:.4g}", quiet=True),) if predicted else ()),
        Cell("" if quality is None or quality.kl_mean is None else f"{quality.kl_mean:.4g}"),
        Cell("" if low is None else f"{low:.4g}–{high:.4g}", quiet=True),
        Cell("" if quality is None else f"{quality.perplexity:.3f}"),
        Cell(percent(quality.top1) if quality else ""),
        *((Cell("" if one.speed is None else f"{one.speed.decode_tokens_per_s:.1f}"),) if timed else ()),
        Cell(said, "ok" if one.name == found.chosen and one.bytes == found.bytes else "neutral"),
    )


def _remark(found: PrecisionMap, one: Candidate) -> str:
    words = []
    if one.name == found.chosen and one.bytes == found.bytes:
        words.append("taken")
    elif one.quality is not None and one.held:
        words.append("holds" if one.holds else "does not hold")
    words += _too_slow(found, one)
    if one.fallbacks:
        words.append(f"{one.fallbacks} tensors fall back to larger formats")
    return ", ".join(words)


def _caches(found: PrecisionMap) -> Table:
    columns = (
        Column("KV cache"),
        Column("MiB left for the file", "right"),
        Column("KL of the cache", "right"),
        Column("KL of both", "right"),
        Column(""),
    )
    rows = tuple(
        (
            Cell(one.k if one.k == one.v else f"{one.k}/{one.v}"),
            mib(one.max_bytes),
            Cell(f"{one.cache_kl:.3g}" if one.cache_kl else ""),
            Cell(f"{one.predicted_kl:.3g}"),
            Cell("taken", "ok") if (one.k, one.v) == found.kv else Cell(""),
        )
        for one in found.caches
    )
    return Table("Cache and weights in one memory, as predicted", columns, rows)


def _plot(found: PrecisionMap) -> Scatter:
    """Bytes against divergence; ours first, so that its name is the one that has room."""
    spots = []
    for one in sorted(found.candidates, key=lambda one: (one.name != "searched", one.quality is None)):
        measured = one.quality.kl_mean if one.quality is not None else None
        value = measured or one.predicted_kl
        if not value:
            continue
        low, high = one.quality.kl_ci95 if one.quality and one.quality.kl_ci95 else (value, value)
        ours = one.name == "searched" or one.name == found.chosen
        name = one.name if measured else f"{one.name}?"
        low = max(low, value / 10)
        spots.append(
            Spot(name=name, bytes=one.bytes, value=value, low=low, high=high, tone="ok" if ours else "neutral")
        )
    limit, name = (found.asked.max_bytes, "budget") if found.asked.max_bytes else (found.model_bytes, "base")
    return Scatter(
        title="Bytes against divergence",
        description="file size and KL divergence from the base; a question mark: predicted; lower left is better",
        spots=tuple(spots),
        value_name="KL divergence, nats a token",
        limit_bytes=limit,
        limit_name=name,
        bytes_name="file",
        log_value=True,
    )


def heat_map(tensors: tuple[Given, ...]) -> HeatMap:
    """Bits a weight by layer and kind of tensor; those outside layers stand in a row of their own."""
    kinds: list[str] = []
    layers: dict[str, dict[str, Given]] = {}
    for one in tensors:
        place = _BLOCK.match(one.name)
        row, kind = (place[1], place[2]) if place else ("–", one.name.removesuffix(".weight"))
        layers.setdefault(row, {})[kind] = one
        if kind not in kinds:
            kinds.append(kind)
    outside = [kind for kind in kinds if kind in layers.get("–", {})]
    columns = [kind for kind in kinds if kind not in outside] + outside
    rows = sorted((row for row in layers if row != "–"), key=int) + (["–"] if "–" in layers else [])
    return HeatMap(
        title="Bits a weight, by layer",
        description="bits that each tensor is stored in; dark is more",
        columns=tuple(columns),
        rows=tuple(f"layer {row}" if row != "–" else "outside" for row in rows),
        cells=tuple(tuple(_heat(layers[row].get(kind)) for kind in columns) for row in rows),
        key="bits a weight, scales included: pale 1.5, dark 8.5 and more",
    )


def _heat(one: Given | None) -> Heat | None:
    if one is None:
        return None
    bits = FORMATS.get(one.format).bits
    return Heat(
        text=f"{bits:.1f}", share=(bits - 1.5) / (_MOST_BITS - 1.5), says=f"{one.name}: {one.format}, {one.why}"
    )


def _tensors(tensors: tuple[Given, ...]) -> Table:
    columns = (
        Column("tensor"),
        Column("format"),
        Column("MiB", "right"),
        Column("KL predicted", "right"),
        Column("why", prose=True),
    )
    rows = tuple(
        (
            Cell(one.name),
            Cell(one.format),
            Cell(f"{one.bytes / MIB:.2f}", exact=f"{one.bytes} bytes"),
            Cell(f"{one.divergence:.3g}" if one.divergence else ""),
            Cell(one.why, quiet=True),
        )
        for one in tensors
    )
    return Table("Tensors", columns, rows)


VIEW = View(record=PrecisionMap, document=document, summary="what a search for the lowest precision decided")
