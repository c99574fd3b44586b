"""What the reader of an answer must know, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memfit.device.boards import BOARDS, Board
from memfit.engine.runtimes import ENGINES
from memfit.fit.records import FitRow
from memfit.fit.rows import Search
from memfit.model.cards import CARDS
from memfit.units import GIB, format_bytes, format_tokens


def notes_of(search: Search, rows: Sequence[FitRow]) -> Iterator[str]:
    """Of the answer as a whole: what its figures rest on, and what was not looked at."""
    if any(row.task for row in rows):
        yield "models for speech are sized by rules for their engines, with wide bars; no speed is known of them"
    for engine in search.engines if any(not row.task for row in rows) else ():
        setting, name = search.settings.get(engine), ENGINES.get(engine).name
        if setting is None:
            unjudged = ", and --min-tps is not judged" if search.wish.least_tokens_per_s else ""
            yield f"nobody published what {name} makes of this machine: no speed is shown{unjudged}"
        else:
            yield f"speed of {name}: {setting.machine.mode}, {setting.source}; half of the context filled"
        if engine == "llama_cpp":
            slots = search.wish.slots
            yield f"llama.cpp as llama-server -np {slots} --cache-ram 0 --ctx-checkpoints 0: saved prompts come on top"
        if ENGINES.get(engine).reads != "gguf":
            yield f"whether {name} has each of these architectures was not looked at"
    board = BOARDS.get(search.device.name) if search.device.name in BOARDS else None
    if board is not None and search.device.grade != "stated":
        yield from _without_desktop(board)
    if search.use is not None and not search.wish.least_tokens_per_s and search.least_tokens_per_s:
        yield (
            f"what is likely to be slower than {search.least_tokens_per_s:g} tokens/s comes after the others:"
            " --min-tps asks for a speed of your own"
        )
    asked = search.wish.context_tokens
    if any(row.at_tokens > asked for row in rows):
        yield f"sized at the next larger context of the table: memfit estimate says what {format_tokens(asked)} take"
    seeing = [row.model for row in rows if row.model in CARDS and "vision" in CARDS.get(row.model).uses]
    if seeing:
        yield "models that see: without the encoder of pictures, which memfit estimate adds with --mmproj"
    if search.converted:
        yield "a folder of a checkpoint: as llama.cpp converts it, which has to be done first"
    if search.use is not None and search.use.source:
        yield f"{search.use.summary}: {search.use.source}"
    yield "the order is a prior of parameters, year and format, and no measurement of quality"


def _without_desktop(board: Board) -> Iterator[str]:
    total, desktop, headless = board.total_bytes, board.desktop_bytes, board.headless_bytes
    if total is None or desktop is None or headless is None or headless.value >= desktop.value:
        return
    left = total.value - headless.value
    more = format_bytes(desktop.value - headless.value)
    yield (
        f"a stock system with its desktop; without one {more} more are free ({headless.grade}): --memory"
        f" {left / GIB:.2f}GiB"
    )
