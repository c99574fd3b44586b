"""Explained segments gathered into the compact tables that ship with memfit."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from graph_trace.expressions import Expression
from graph_trace.study import Explained, Role
from memfit.engine._llama_cpp.graphs import SET, SLOTS, steps_text

ENGINE = "llama.cpp 0c1e57098"


class Tables:
    """One architecture's graphs: every size, segment and list of operations once."""

    def __init__(self, architecture: str) -> None:
        self.architecture = architecture
        self.cards: list[str] = []
        self.stuck: dict[str, int] = {}
        self.turned: set[str] = set()
        self.tensor_sets: list[frozenset[str]] = []
        self.graphs: dict[str, dict[Role, int]] = {}
        self._sizes: dict[str, int] = {}
        self._keys: dict[str, int] = {}
        self._work: dict[str, int] = {}
        self._lists: dict[tuple[int, ...], int] = {}
        self._segments: dict[tuple[object, ...], int] = {}

    def add(self, graph: str, role: Role, tensor_set: int, explained: Explained) -> None:
        """Take in the segment of a role, for models with this set of tensors."""
        column = f"{role}{SET}{tensor_set}" if tensor_set else role
        self.graphs.setdefault(graph, {})[column] = self._segment(explained)

    def set_of(self, tensors: frozenset[str]) -> int:
        """The number of a set of tensors."""
        if tensors not in self.tensor_sets:
            self.tensor_sets.append(tensors)
        return self.tensor_sets.index(tensors)

    def as_json(self) -> dict[str, Any]:
        """What ``memfit.engine._llama_cpp.graphs`` reads."""
        return {
            "engine": ENGINE,
            "architecture": self.architecture,
            "cards": self.cards,
            "fixed": {name: value for name, value in self.stuck.items() if name not in self.turned},
            "tensor_sets": [sorted(names) for names in self.tensor_sets],
            "sizes": list(self._sizes),
            "keys": list(self._keys),
            "work": list(self._work),
            "work_lists": [list(numbers) for numbers in self._lists],
            "segments": [_unpacked(segment) for segment in self._segments],
            **self._structures(),
        }

    def _structures(self) -> dict[str, Any]:
        """Roles, rows of segments in their order (-1: not seen), and the row of each graph."""
        roles = list(dict.fromkeys(role for row in self.graphs.values() for role in row))
        rows: dict[tuple[int, ...], int] = {}
        graphs: dict[str, list[int]] = {}
        for key, row in self.graphs.items():
            structure, _, slots = key.rpartition(".")
            found = graphs.setdefault(structure, [-1] * len(SLOTS))
            found[SLOTS.index(slots)] = _index(rows, tuple(row.get(role, -1) for role in roles))
        return {"roles": roles, "rows": [list(row) for row in rows], "graphs": graphs}

    def _segment(self, explained: Explained) -> int:
        segment = explained.segment
        sizes = iter(explained.sizes)
        steps = tuple(_index(self._sizes, written(next(sizes))) if step > 0 else step for step in segment.steps)
        imports = tuple(_index(self._keys, _key(key)) for key in segment.imports)
        exports = tuple((_index(self._keys, _key(key)), slot) for key, slot in sorted(segment.exports.items()))
        work = {
            _index(self._work, " ".join((op, source or ".", *(written(size) for size in given))))
            for op, source, given in explained.work
        }
        listed = _index(self._lists, tuple(sorted(work)))
        return _index(self._segments, (imports, exports, steps, listed))


def _unpacked(segment: Iterable[Any]) -> list[Any]:
    imports, exports, steps, work = segment
    return [list(imports), [number for pair in exports for number in pair], steps_text(steps), work]


def _index(table: dict[Any, int], item: Any) -> int:
    return table.setdefault(item, len(table))


def _key(key: str) -> str:
    return key.replace("=NONE:", "=").replace("(reshaped)", "").replace("(view)", "").strip()


def written(expression: Expression) -> str:
    """``4*T*d``; terms joined by ``+``, powers as ``^2``, fractions as ``1/2``."""
    terms = []
    for coefficient, factors in expression:
        names = [name if power == 1 else f"{name}^{power}" for name, power in factors]
        number = [] if coefficient == 1 and names else [_number(coefficient)]
        terms.append("*".join([*number, *names]))
    return "+".join(terms) or "0"


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
