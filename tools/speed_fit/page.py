"""The generated tables of docs/speed.md: what the fit gave, and every anchor beside what is predicted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from memfit.device.boards import BOARDS
from memfit.model.cards import CARDS
from memfit.speed.anchors import SOURCES, anchor_math, anchor_shape
from memfit.speed.efficiency import EFFICIENCIES
from memfit.speed.predict import predict
from memfit.speed.records import Anchor, Speed, SpeedRange

PAGE = Path(__file__).parents[2] / "docs/speed.md"
BLOCKS = ("efficiency", "sources", "anchors")


def refresh() -> None:
    """Write the generated blocks."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def page(text: str) -> str:
    """The page with its blocks written anew."""
    tables = {"efficiency": efficiency_table(), "sources": source_table(), "anchors": anchor_table()}
    for name in BLOCKS:
        begin, end = f"<!-- {name}: generated -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + "\n" + "\n".join(tables[name]) + "\n" + end + after
    return text


def expected(anchor: Anchor) -> Speed:
    """What memfit predicts where an anchor was measured."""
    depth = (anchor.prompt_tokens or 0) + (anchor.generated_tokens or 0) // 2
    return predict(
        anchor_shape(anchor.model, anchor.format),
        BOARDS.get(anchor.board),
        anchor.engine,
        mode=anchor.mode,
        depth_tokens=depth,
        prompt_tokens=anchor.prompt_tokens or 512,
        sequences=anchor.concurrency,
        on_cpu=anchor.on_cpu,
        math=anchor_math(anchor),
    )


def efficiency_table() -> list[str]:
    """One row an engine and chip."""
    rows = [
        "| engine | chip | share of bandwidth | weights a clock | clocks a layer | of experts | error | anchors"
        " | prompts: share of the peak (error) | besides, s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for engine in EFFICIENCIES:
        for chip in engine.chips:
            prompts = ", ".join(f"{share.math} {share.share:.3f} (×÷ {share.error:.2f})" for share in chip.compute)
            rows.append(
                f"| {chip.engine} | {chip.chip} | {chip.bandwidth_share:.3f} |"
                f" {'' if chip.weights_per_clock is None else f'{chip.weights_per_clock:g}'} |"
                f" {chip.layer_clocks:,.0f} | {f'{chip.expert_clocks:,.0f}' if chip.expert_clocks else ''} |"
                f" ×÷ {chip.error:.2f} | {chip.anchors} | {prompts} |"
                f" {chip.start_s or ''} |"
            )
    return rows


def source_table() -> list[str]:
    """One row a source: how far its speeds lie from what is predicted."""
    rows = [
        "| source | where, and how it was measured | speeds | fitted | typical error | largest |",
        "|---|---|---|---|---|---|",
    ]
    for key, source in SOURCES.items():
        errors = [
            abs(math.log(found.likely / published))
            for anchor in source.anchors
            for published, found in _pairs(anchor)
            if anchor.fitted
        ]
        typical = math.sqrt(sum(error**2 for error in errors) / len(errors)) if errors else None
        rows.append(
            f"| `{key}` | {source.title}: {source.address}. {source.method} | {len(source.anchors)} |"
            f" {sum(anchor.fitted for anchor in source.anchors)} |"
            f" {'' if typical is None else f'{math.exp(typical) - 1:.0%}'} |"
            f" {f'{math.exp(max(errors)) - 1:.0%}' if errors else ''} |"
        )
    return rows


def anchor_table() -> list[str]:
    """One row a published speed."""
    rows = [
        "| source | board, mode | engine | model, format | prompt, users | what | published | memfit | off | in the "
        "bar |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key, source in SOURCES.items():
        for anchor in source.anchors:
            rows += [_row(key, anchor, what, published, found) for what, published, found in _named(anchor)]
    return rows


def _row(key: str, anchor: Anchor, what: str, published: float, found: SpeedRange) -> str:
    why = "estimate" if anchor.grade == "estimate" else anchor.unfitted
    inside = "yes" if found.low <= published <= found.high else "no"
    return (
        f"| `{key}` | {BOARDS.get(anchor.board).name}, {anchor.mode or 'not told'} |"
        f" {anchor.engine}{' on the CPU' if anchor.on_cpu else ''} |"
        f" {CARDS.get(anchor.model).name}, {anchor.format} |"
        f" {anchor.prompt_tokens if anchor.prompt_tokens is not None else 'not told'}, {anchor.concurrency} | {what} |"
        f" {published:g} | {found.likely:.3g} ({found.low:.3g} to {found.high:.3g}) |"
        f" {found.likely / published - 1:+.0%} | {inside}{f'; not fitted: {why}' if why else ''} |"
    )


def _pairs(anchor: Anchor) -> Iterable[tuple[float, SpeedRange]]:
    return ((published, found) for _, published, found in _named(anchor))


def _named(anchor: Anchor) -> Iterable[tuple[str, float, SpeedRange]]:
    speed = expected(anchor)
    if anchor.decode_tokens_per_s:
        yield "decode", anchor.decode_tokens_per_s, speed.decode
    # a prompt of several users is computed after one another: its speed is that of one
    if anchor.prefill_tokens_per_s and speed.prefill is not None and anchor.concurrency == 1:
        yield "prompt", anchor.prefill_tokens_per_s, speed.prefill
