"""The engine's graphs, as traced by ``tools/generate_compute.py``: read, put together for a model, and planned.

A file of ``_compute_data`` holds one architecture: size expressions (``4*S*T*d``), segments (what comes before the
layers, a layer by its role, the last layer with the output), and for each graph structure which segment plays which
role. A segment's steps are what its memory depends on: which buffer is taken and given back when.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from memfit.engine._llama_cpp.allocator import Planner, State

DATA = Path(__file__).parent / "_compute_data"
PROLOGUE = "prologue"
SET = "@"  # between a role and the number of a set of tensors
# how sequences share the KV cache: a stream each, one buffer, or there is one sequence
SLOTS = ("streams", "unified", "one")

Values = Mapping[str, int]
Term = tuple[int, int, tuple[tuple[str, int], ...]]  # numerator, denominator, symbols with powers
Expression = tuple[Term, ...]


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """One stretch of a graph.

    Attributes:
        imports: keys of the buffers it finds; they are its buffers 0, 1, ...
        exports: key and buffer, key and buffer, ...: what later segments find.
        steps: which buffers it takes and gives back, in order, as ``steps_of`` reads it.
        work: its list of operations that need scratch memory.
    """

    imports: tuple[int, ...]
    exports: tuple[int, ...]
    steps: str
    work: int


_TAKES = string.ascii_letters
_GIVES = string.digits + "!#$%&'()*+,-./:;<=>?@[]^_`{|}"
_MORE = "~"  # the next one counts from the end of its alphabet


@functools.cache
def steps_of(text: str) -> tuple[int, ...]:
    """Steps as numbers: from 0 the size of the buffer taken next, ``-1 - buffer`` for one given back."""
    steps: list[int] = []
    rounds = 0
    for character in text:
        if character == _MORE:
            rounds += 1
            continue
        take = _TAKES.find(character)
        step = take + rounds * len(_TAKES) if take >= 0 else -1 - _GIVES.index(character) - rounds * len(_GIVES)
        steps.append(step)
        rounds = 0
    return tuple(steps)


def steps_text(steps: Iterable[int]) -> str:
    """Steps as text: a letter takes a buffer of that size, a digit or sign gives one back."""
    parts = []
    for step in steps:
        alphabet, number = (_TAKES, step) if step >= 0 else (_GIVES, -1 - step)
        rounds, place = divmod(number, len(alphabet))
        parts.append(_MORE * rounds + alphabet[place])
    return "".join(parts)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How the tables fared against the engine on fresh settings inside what was traced, when they were generated."""

    settings: int
    equal: int
    under: int
    largest_error: float


class Graphs(msgspec.Struct, frozen=True, kw_only=True):
    """One architecture's graphs.

    Attributes:
        engine: the version they were traced from.
        cards: the models they were traced on.
        fixed: hyperparameters that could not be varied, with the value they were traced at.
        tensor_sets: the tensors of those models (``symbols.tensor_set``), which can change a graph: a role is for
            models with the first set, ``ROLE@2`` for those with the third.
        keys: names of buffers that pass between segments; one that begins with ``=`` lives until its last use.
        roles: ``prologue`` and the roles of layers (``symbols.layer_roles``).
        rows: the segment of each role, -1 where none was seen.
        graphs: the rows of each structure (``symbols.graph_key`` without its last word), by ``SLOTS``.
    """

    engine: str
    architecture: str
    cards: tuple[str, ...]
    fixed: dict[str, int]
    tensor_sets: tuple[frozenset[str], ...]
    sizes: tuple[str, ...]
    keys: tuple[str, ...]
    work: tuple[str, ...]
    work_lists: tuple[tuple[int, ...], ...]
    segments: tuple[Segment, ...]
    roles: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    graphs: dict[str, tuple[int, ...]]
    checked: Checked | None = None

    def segments_by_role(self, graph: str, tensor_set: int = 0) -> dict[str, int]:
        """The segment of each role in one structure, of models with one set of tensors; empty where it was not seen."""
        structure, _, slots = graph.rpartition(".")
        row = self.graphs.get(structure, (-1,) * len(SLOTS))[SLOTS.index(slots)]
        if row < 0:
            return {}
        columns = zip(self.roles, self.rows[row], strict=True)
        found = ((*role.partition(SET), number) for role, number in columns if number >= 0)
        return {role: number for role, _, owner, number in found if int(owner or 0) == tensor_set}

    def structures(self) -> Iterator[str]:
        """Every structure that was seen, with its slots."""
        for structure, rows in self.graphs.items():
            yield from (f"{structure}.{slots}" for slots, row in zip(SLOTS, rows, strict=True) if row >= 0)


@functools.cache
def load_graphs(architecture: str) -> Graphs | None:
    """The graphs of an architecture (its name in a GGUF header); None where none were traced."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", architecture):
        return None
    path = DATA / f"{architecture}.json"
    return msgspec.json.decode(path.read_bytes(), type=Graphs) if path.is_file() else None


@functools.cache
def parse(text: str) -> Expression:
    """``4*T*d+1/2*H^2`` as terms."""
    return tuple(_term(part) for part in text.split("+"))


def _term(text: str) -> Term:
    numerator, denominator = 1, 1
    factors: list[tuple[str, int]] = []
    for factor in text.split("*"):
        if factor.lstrip("-")[0].isdigit():
            above, _, below = factor.partition("/")
            numerator, denominator = int(above), int(below or 1)
        else:
            name, _, power = factor.partition("^")
            factors.append((name, int(power or 1)))
    return numerator, denominator, tuple(factors)


def evaluate(expression: Expression, values: Values) -> int:
    """The value of an expression, exact in integers; a symbol without a value counts as 0."""
    whole, part, parts = 0, 0, 1  # and part/parts: most terms leave no part
    for above, below, factors in expression:
        for name, power in factors:
            value = values.get(name, 0)
            if power == 1:
                above *= value
            elif power > 0:
                above *= value**power
            elif value:
                below *= value**-power
            else:
                above = 0
        if below == 1:
            whole += above
        elif above % below:
            part, parts = part * below + above * parts, parts * below
        else:
            whole += above // below
    return whole - -part // parts


def planned_bytes(graphs: Graphs, numbers: Sequence[int], values: Sequence[Values]) -> int:
    """The compute buffer of a graph put together from segments.

    Args:
        graphs: the architecture's tables.
        numbers: segments in order, the prologue first.
        values: what the symbols stand for in each of them.

    Raises:
        KeyError: a segment looks for a buffer that none before it left.
    """
    segments = [graphs.segments[number] for number in numbers]
    lasting = {key for key, name in enumerate(graphs.keys) if name.startswith("=")}
    last_use = {key: place for place, segment in enumerate(segments) for key in _named(segment) if key in lasting}
    planner = Planner()
    live: dict[int, tuple[int, int]] = {}
    reached: dict[object, tuple[State, dict[int, tuple[int, int]], int]] = {}
    for place, (number, segment, given) in enumerate(zip(numbers, segments, values, strict=True)):
        ending = frozenset(key for key in _named(segment) if key in lasting and last_use[key] == place)
        # layers repeat: from the same state the same segment leads to the same state
        state = (number, id(given), ending, planner.state(), tuple(sorted(live.items())))
        if state in reached:
            after, live_after, peak = reached[state]
            planner.restore(after, peak)
            live = dict(live_after)
            continue
        _run(graphs, segment, given, planner, live, lasting - ending)
        reached[state] = (planner.state(), dict(live), planner.peak_bytes)
    return planner.peak_bytes


def _named(segment: Segment) -> tuple[int, ...]:
    return (*segment.imports, *segment.exports[::2])


def _run(
    graphs: Graphs,
    segment: Segment,
    values: Values,
    planner: Planner,
    live: dict[int, tuple[int, int]],
    surviving: set[int] | frozenset[int],
) -> None:
    """Plan one segment; ``live`` holds offset and size of what passes between segments, by key."""
    buffers = [live[key] for key in segment.imports]
    keys: dict[int, int] = dict(enumerate(segment.imports))
    keys.update(zip(segment.exports[1::2], segment.exports[::2], strict=True))
    for step in steps_of(segment.steps):
        if step >= 0:
            size = evaluate(parse(graphs.sizes[step]), values)
            buffers.append((planner.take(size), size))
            continue
        buffer = -1 - step
        key = keys.get(buffer)
        if key in surviving:
            continue
        if key is not None and key in live and buffer < len(segment.imports):
            del live[key]
        planner.give_back(*buffers[buffer])
    for key, buffer in zip(segment.exports[::2], segment.exports[1::2], strict=True):
        live[key] = buffers[buffer]
