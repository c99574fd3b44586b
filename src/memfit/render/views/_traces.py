"""Series over time as pictures and as a table: what a watch and a log of tegrastats share."""

from __future__ import annotations

from collections.abc import Iterable

from memfit.device.tegrastats_log import Series, SeriesUnit
from memfit.render.document import Cell, Column, Row, Table, Timeline, Trace
from memfit.units import MIB

_MOST_TRACES = 5
_TITLES: tuple[tuple[SeriesUnit, str, str], ...] = (
    ("bytes", "Memory", "bytes"),
    ("percent", "Load", "ratio"),
    ("c", "Temperature", "c"),
    ("mw", "Power", "mw"),
    ("hz", "Clocks", "hz"),
)
# figures that say what another one does, or whose scale would hide the others
_NOT_DRAWN = ("largest free block",)
_SHOWN: dict[SeriesUnit, tuple[float, str, int]] = {
    "bytes": (MIB, "MiB", 0),
    "percent": (1.0, "%", 0),
    "c": (1.0, "°C", 1),
    "mw": (1.0, "mW", 0),
    "hz": (1e6, "MHz", 0),
}


def timelines(
    times_s: tuple[float, ...], series: Iterable[Series], *, total_bytes: int | None, units: tuple[SeriesUnit, ...]
) -> tuple[Timeline, ...]:
    """One picture a unit, the first series of each leading; memory is held against its total."""
    found = []
    for unit, title, drawn_unit in _TITLES:
        chosen = [each for each in series if each.unit == unit and each.name not in _NOT_DRAWN] if unit in units else []
        if unit != "bytes":  # the first of memory is what counts; of the others the highest
            chosen.sort(key=lambda each: -each.most)
        chosen = [each for each in chosen if each.most > (each.least if unit == "hz" else 0)][:_MOST_TRACES]
        if not chosen or len(times_s) < 2:
            continue
        scale = 100 if unit == "percent" else 1
        traces = tuple(_trace(each, times_s, scale, leading=each is chosen[0]) for each in chosen)
        names = ", ".join(each.name for each in chosen)
        found.append(
            Timeline(
                title=title,
                description=f"{names} over {times_s[-1]:.0f} s; {chosen[0].name} is at most {_amount(chosen[0])}.",
                traces=traces,
                unit=drawn_unit,
                limit=total_bytes if unit == "bytes" else None,
                limit_name="total",
            )
        )
    return tuple(found)


def extremes(series: Iterable[Series]) -> Table:
    """Least, mean and most of every series."""
    rows: list[Row] = []
    for each in series:
        scale, unit, digits = _SHOWN[each.unit]
        figures = (f"{value / scale:.{digits}f}" for value in (each.least, each.mean, each.most))
        rows.append((Cell(each.name), *(Cell(text) for text in figures), Cell(unit, quiet=True)))
    columns = (Column("what"), *(Column(name, "right") for name in ("least", "mean", "most")), Column("unit"))
    return Table("Over the whole time", columns, tuple(rows))


def _trace(series: Series, times_s: tuple[float, ...], scale: int, *, leading: bool) -> Trace:
    pairs = [(at_s, value / scale) for at_s, value in zip(times_s, series.values, strict=True) if value is not None]
    return Trace(
        name=series.name,
        at_s=tuple(at_s for at_s, _ in pairs),
        values=tuple(value for _, value in pairs),
        leading=leading,
    )


def _amount(series: Series) -> str:
    scale, unit, digits = _SHOWN[series.unit]
    return f"{series.most / scale:.{digits}f} {unit}"
