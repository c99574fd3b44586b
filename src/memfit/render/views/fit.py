"""What can run on a device: a table, best first, and what keeps the rest from it."""

from __future__ import annotations

from collections import Counter

from memfit.engine.records import Deployment
from memfit.engine.runtimes import ENGINES
from memfit.fit.exact import options_of
from memfit.fit.records import Fit, FitRow
from memfit.fit.sizes import PROGRAM
from memfit.fit.uses import USES
from memfit.footprint.again import command_of
from memfit.render.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Headline,
    Row,
    Scatter,
    Spot,
    Table,
    Tone,
)
from memfit.render.views._figures import gib, parameter_words, shell_command
from memfit.render.views._view import View
from memfit.units import GIB, format_tokens

TONES: dict[str, Tone] = {"comfortable": "ok", "tight": "ok", "barely": "warn", "no": "bad"}
_MOST_SHOWN = 20
_MOST_REFUSED = 8


def document(found: Fit) -> Document:
    """The answer."""
    running = [row for row in found.rows if row.verdict != "no"]
    refused = [row for row in found.rows if row.verdict == "no"]
    blocks: list[Block] = [headline(found, running)]
    if running:
        blocks.append(_table(_title(found, len(running)), running[:_MOST_SHOWN]))
    if refused:
        blocks.append(_refused(refused, len(running)))
    hidden = _hidden(len(running), len(refused))
    notes = (*found.notes, *((hidden,) if hidden else ()))
    blocks.append(Bullets(notes, "neutral", "What to know"))
    if timed := [row for row in running if row.decode_tokens_per_s is not None]:
        blocks.append(_plot(found, timed[:_MOST_SHOWN]))
    if running:
        blocks.append(_next(found, running[0]))
    return Document(f"What runs on {found.device.name}", tuple(blocks))


def headline(found: Fit, running: list[FitRow]) -> Headline:
    """How many models fit, and what was asked for."""
    wish = found.wish
    use = f" for {USES.get(wish.use).summary}" if wish.use else ""
    asked = f"at a context of {format_tokens(wish.context_tokens)}"
    if wish.slots > 1:
        asked += f" each for {wish.slots} requests"
    free = f"{gib(found.device.capacity_bytes)} for deployments"
    if not running:
        return Headline("nothing", "bad", f"{_nothing(found, use, asked)}, {free}")
    counts = Counter(row.verdict for row in running)
    words = ", ".join(
        f"{counts[verdict]} {verdict}" for verdict in ("comfortable", "tight", "barely") if counts[verdict]
    )
    one = len(running) == 1
    return Headline(words, "ok", f"{'a model' if one else 'models'}{use} {asked}, {free}")


def _nothing(found: Fit, use: str, asked: str) -> str:
    """What keeps every row from being an answer: the speed, the use, or else the memory."""
    held = [row for row in found.rows if row.headroom_bytes >= 0]
    least = found.wish.least_tokens_per_s
    speeds = [row.decode_tokens_per_s for row in held if row.decode_tokens_per_s is not None]
    if least and any(speed < least for speed in speeds):
        return f"no model{use} reaches {least:g} tokens/s {asked}; the fastest that fits has {max(speeds):g}"
    if held and len(held) == len(found.rows):
        return f"none of them is{use or ' an answer'} {asked}"
    return f"no model{use} fits {asked}"


def _title(found: Fit, running: int) -> str:
    sized = Counter(row.at_tokens for row in found.rows if row.verdict != "no").most_common(1)[0][0]
    at = f"at {format_tokens(sized or found.wish.context_tokens)}"
    if running > _MOST_SHOWN:
        return f"The best {_MOST_SHOWN} of {running}, by a prior; {at}"
    return f"Best first, by a prior; {at}"


def _table(title: str, rows: list[FitRow]) -> Table:
    engines, spoken = len({row.engine for row in rows}) > 1, any(row.task for row in rows)
    # on a narrow terminal names and verdicts stay whole, and columns go; all of them are in --json
    columns = (
        Column("model", prose=True),
        *((Column("task", spare=True),) if spoken else ()),
        Column("size", "right", spare=True),
        Column("format"),
        *((Column("engine", spare=True),) if engines else ()),
        Column("up to", "right", spare=True),
        Column("GiB", "right"),
        Column("spare", "right", spare=True),
        Column("tok/s", "right"),
        Column("from to", "right", spare=True),
        Column("prompt", "right", spare=True),
        Column("loss", spare=True),
        Column("verdict", prose=True),
    )
    return Table(title, columns, tuple(_row(row, engines=engines, spoken=spoken) for row in rows))


def _row(row: FitRow, *, engines: bool, spoken: bool) -> Row:
    advised = " *" if row.named else ""
    return (
        Cell(row.model + advised),
        *((Cell(row.task, quiet=True),) if spoken else ()),
        Cell(parameter_words(row.parameters)),
        Cell(row.format),
        *((Cell(ENGINES.get(row.engine).name),) if engines else ()),
        Cell(format_tokens(row.context_tokens) if row.context_trained_tokens else ""),
        Cell(f"{row.required_bytes / GIB:.2f}", exact=f"{row.required_bytes} bytes"),
        Cell(f"{row.headroom_bytes / GIB:.2f}", exact=f"{row.headroom_bytes} bytes"),
        _speed(row),
        _range(row),
        Cell("" if row.prefill_tokens_per_s is None else f"{row.prefill_tokens_per_s:.0f}"),
        Cell(row.quality.words, quiet=True),
        Cell(row.verdict if not row.reason else f"{row.verdict}: {row.reason}", TONES[row.verdict]),
    )


def _speed(row: FitRow) -> Cell:
    if row.decode_tokens_per_s is None:
        return Cell("", quiet=True)
    low, high = row.decode_low_tokens_per_s, row.decode_high_tokens_per_s
    return Cell(f"{row.decode_tokens_per_s:.0f}", exact=f"{low:g} to {high:g} tokens/s")


def _range(row: FitRow) -> Cell:
    low, high = row.decode_low_tokens_per_s, row.decode_high_tokens_per_s
    return Cell("" if low is None or high is None else f"{low:.0f}–{high:.0f}", quiet=True)


def _plot(found: Fit, rows: list[FitRow]) -> Scatter:
    several = len({row.model for row in rows}) < len(rows)
    return Scatter(
        title="Memory against speed",
        description=f"what each model needs on {found.device.name}, and how fast it answers",
        spots=tuple(
            Spot(
                name=f"{row.model} {row.format}" if several else row.model,
                bytes=row.required_bytes,
                value=row.decode_tokens_per_s or 0.0,
                low=row.decode_low_tokens_per_s or 0.0,
                high=row.decode_high_tokens_per_s or 0.0,
                tone=TONES[row.verdict],
            )
            for row in rows
        ),
        value_name="tokens/s of one request",
        limit_bytes=found.device.capacity_bytes,
        limit_name="free",
    )


def _refused(rows: list[FitRow], running: int) -> Table:
    shown = rows[: _MOST_REFUSED if running else _MOST_SHOWN]
    engines = len({row.engine for row in shown}) > 1
    columns = (
        Column("model", prose=True),
        Column("size", "right"),
        Column("format"),
        *((Column("engine"),) if engines else ()),
        Column("why not", prose=True),
    )
    title = "What does not fit" + (f": {len(shown)} of {len(rows)}" if len(rows) > len(shown) else "")
    return Table(
        title,
        columns,
        tuple(
            (
                Cell(row.model),
                Cell(parameter_words(row.parameters)),
                Cell(row.format),
                *((Cell(ENGINES.get(row.engine).name),) if engines else ()),
                Cell(row.reason, "bad"),
            )
            for row in shown
        ),
    )


def _hidden(running: int, refused: int) -> str:
    hidden = max(0, running - _MOST_SHOWN) + max(0, refused - (_MOST_REFUSED if running else _MOST_SHOWN))
    return f"{hidden} more rows: --json has them all" if hidden else ""


def _next(found: Fit, row: FitRow) -> Block:
    options = options_of(found.device, found.wish, row.engine, row.at_tokens)
    deployment = Deployment(
        model=row.model, engine=row.engine, format=None if row.as_stored else row.format, options=options
    )
    return shell_command("the arithmetic of the first", *command_of(deployment, found.device, PROGRAM))


VIEW = View(record=Fit, document=document, summary="what can run on a device, best first")
