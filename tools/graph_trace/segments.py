"""Lifetimes cut into segments that can be put together again: what comes before the layers, and each layer."""

from __future__ import annotations

from dataclasses import dataclass, field

from graph_trace.lifetimes import PROLOGUE, Lifetimes, Slot, Work


@dataclass
class Segment:
    """One stretch of a graph with its buffers numbered locally: imports first, then those it takes.

    ``steps`` holds +1 for "take the next buffer" and -(1 + number) for "give that one back". Giving back an import
    whose key begins with ``=`` only counts in the last segment that uses it.
    """

    imports: list[str]
    steps: list[int]
    exports: dict[str, int]
    sizes: list[int]
    labels: list[str]
    decisions: list[tuple[str, str]]
    work: list[Work] = field(default_factory=list)

    @property
    def structure(self) -> tuple[object, ...]:
        """What must be equal for two segments to be the same but for sizes."""
        work = tuple((item.op, item.source) for item in self.work)
        return (tuple(self.imports), tuple(self.steps), tuple(sorted(self.exports.items())), tuple(self.labels), work)


def cut(lives: Lifetimes) -> list[Segment]:
    """The segments of a graph: before the layers, then one for each layer."""
    keys = _keys(lives)
    return [_segment(lives, number, keys) for number in range(PROLOGUE, lives.layers)]


def _keys(lives: Lifetimes) -> dict[int, str]:
    """How a buffer that outlives its segment is called in the others; ``=`` where several use it."""
    keys: dict[int, str] = {}
    taken: set[str] = set()
    passed: dict[tuple[int, bool], int] = {}
    for number, slot in enumerate(lives.slots):
        users = {segment for segment in slot.touched if segment > slot.segment}
        if slot.freed_in is not None and slot.freed_in > slot.segment:
            users.add(slot.freed_in)
        if not users:
            continue
        if len(users) == 1 and not slot.input and slot.freed_in is not None:
            group = (slot.segment, slot.state)
            passed[group] = passed.get(group, -1) + 1
            keys[number] = f"{'s' if slot.state else 'r'}{passed[group]}"
            continue
        key, copies = f"={slot.label}", 2
        while key in taken:
            key, copies = f"={slot.label}#{copies}", copies + 1
        taken.add(key)
        keys[number] = key
    return keys


def _segment(lives: Lifetimes, number: int, keys: dict[int, str]) -> Segment:
    imported = [index for index, slot in enumerate(lives.slots) if slot.segment < number and _used(slot, number)]
    imported.sort(key=lambda index: keys[index])
    local = {slot: position for position, slot in enumerate(imported)}
    steps: list[int] = []
    sizes: list[int] = []
    labels: list[str] = []
    # an import that lives on is given back tentatively, after its last use here
    pending = sorted(
        (slot.touched[number], index)
        for index, slot in enumerate(lives.slots)
        if number in slot.touched and keys.get(index, "").startswith("=") and slot.freed_in not in (None, number)
    )
    count = 0

    def flush() -> None:
        while pending and pending[0][0] <= count:
            index = pending.pop(0)[1]
            if index in local:
                steps.append(-1 - local[index])

    for segment, slot, taken in lives.steps:
        if segment != number:
            continue
        flush()
        count += 1
        if taken:
            local[slot] = len(local)
            steps.append(1)
            sizes.append(lives.slots[slot].bytes)
            labels.append(lives.slots[slot].label)
        else:
            steps.append(-1 - local[slot])
    flush()
    steps = _ordered(steps)
    exports = {
        keys[index]: local[index] for index, slot in enumerate(lives.slots) if slot.segment == number and index in keys
    }
    work = lives.work.get(number, [])
    decisions = [(op, decision) for segment, op, decision in lives.decisions if segment == number]
    return Segment([keys[index] for index in imported], steps, exports, sizes, labels, decisions, work)


def _ordered(steps: list[int]) -> list[int]:
    """Buffers given back between two takes in one order: it does not matter to the planner, but to comparing."""
    ordered: list[int] = []
    run: list[int] = []
    for step in steps:
        if step < 0:
            run.append(step)
            continue
        ordered += [*sorted(run, reverse=True), step]
        run = []
    return ordered + sorted(run, reverse=True)


def _used(slot: Slot, number: int) -> bool:
    return number in slot.touched or slot.freed_in == number
