"""A footprint over one option: up to where it fits."""

from __future__ import annotations

from memfit.footprint.records import Curve
from memfit.render.document import (
    Cell,
    Column,
    CurvePlot,
    Document,
    Fact,
    Facts,
    Headline,
    Point,
    Series,
    Table,
)
from memfit.render.views._figures import (
    VERDICT_TONES,
    VERDICT_WORDS,
    device_words,
    gib,
    mib,
    model_words,
    title_words,
)
from memfit.render.views._view import View
from memfit.units import format_tokens


def document(curve: Curve) -> Document:
    """How far it fits, the points, and the curve."""
    facts = Facts((Fact("model", model_words(curve.model)), Fact("device", device_words(curve.device))))
    blocks = (_headline(curve), facts, _plot(curve), _table(curve))
    return Document(f"{title_words(curve.model, curve.device)}, by {curve.option}", blocks)


def _headline(curve: Curve) -> Headline:
    against = f"{curve.option} in {gib(curve.capacity_bytes)}"
    if not curve.points:
        return Headline("nothing to show", "neutral", f"no value of {curve.option} was asked for")
    fitting = [point.value for point in curve.points if point.verdict == "fits"]
    if not fitting:
        smallest = min(curve.points, key=lambda point: point.value)
        word, tone = VERDICT_WORDS[smallest.verdict], VERDICT_TONES[smallest.verdict]
        sentence = f"not even {_counted(curve, smallest.value)} fits {gib(curve.capacity_bytes)}"
        return Headline(word, tone, f"{sentence} without paging" if smallest.verdict == "tight" else sentence)
    largest = max(fitting)
    last = largest == max(point.value for point in curve.points)
    reach = "the largest value asked for" if last else "the next larger value does not"
    return Headline(f"fits up to {_value(curve, largest)}", "ok", f"{against}; {reach}")


def _table(curve: Curve) -> Table:
    columns = (
        Column(curve.option, "right"),
        Column("likely", "right", spare=True),
        Column("high", "right", spare=True),
        Column("must stay", "right"),
        Column("to spare", "right"),
        Column("verdict"),
    )
    rows = tuple(
        (
            Cell(_value(curve, point.value)),
            mib(point.likely_bytes),
            mib(point.high_bytes),
            mib(point.required_bytes),
            mib(curve.capacity_bytes - point.required_bytes, tone=VERDICT_TONES[point.verdict]),
            Cell(VERDICT_WORDS[point.verdict], tone=VERDICT_TONES[point.verdict]),
        )
        for point in curve.points
    )
    return Table("Points, MiB", columns, rows)


def _plot(curve: Curve) -> CurvePlot:
    ordered = sorted(curve.points, key=lambda point: point.value)
    likely = tuple(point.likely_bytes for point in ordered)
    high = tuple(point.high_bytes for point in ordered)
    required = tuple(point.required_bytes for point in ordered)
    return CurvePlot(
        title=f"Memory over {curve.option}",
        description=(
            f"{len(ordered)} points from {_value(curve, ordered[0].value)} to {_value(curve, ordered[-1].value)}: "
            f"{gib(required[0])} to {gib(required[-1])} must stay in memory; "
            f"the capacity is {gib(curve.capacity_bytes)}."
            if ordered
            else "No points."
        ),
        x_name=_option_words(curve),
        points=tuple(
            Point(
                x=point.value,
                label=_value(curve, point.value),
                tone=VERDICT_TONES[point.verdict],
                verdict=VERDICT_WORDS[point.verdict],
            )
            for point in ordered
        ),
        series=(
            Series(name="likely to high", bytes=likely, band_low_bytes=likely, band_high_bytes=high),
            Series(name="must stay in memory", bytes=required, leading=True),
        ),
        limit_bytes=curve.capacity_bytes,
        log_x=True,
    )


def _value(curve: Curve, value: int) -> str:
    return format_tokens(value) if curve.option == "context" else str(value)


def _counted(curve: Curve, value: int) -> str:
    if curve.option == "slots":
        return "1 slot" if value == 1 else f"{value} slots"
    return f"a {curve.option} of {_value(curve, value)}"


def _option_words(curve: Curve) -> str:
    return "context, tokens" if curve.option == "context" else curve.option


VIEW = View(record=Curve, document=document, summary="a footprint over one option, and up to where it fits")
