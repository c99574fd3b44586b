"""The anchors as points: what each touched, on which machine, and how long it took."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from memfit.device.boards import BOARDS
from memfit.speed.anchors import SOURCES, anchor_math, anchor_shape, anchor_touched
from memfit.speed.machine import machine_of
from memfit.speed.predict import CHUNK_TOKENS, OTHER_CHUNK_TOKENS
from memfit.speed.records import Anchor, Machine, Math, Touched
from memfit.speed.touched import prompt

Group = tuple[str, str]  # engine and chip


@dataclass(frozen=True)
class Decode:
    """One published decode speed."""

    source: str
    anchor: Anchor
    machine: Machine
    touched: Touched
    seconds: float  # of a step, over all sequences

    @cached_property
    def weights_s(self) -> float:
        """Fetching the matrices at full bandwidth."""
        return (self.touched.weights_bytes + self.touched.experts_bytes) / self.machine.bandwidth_bytes_per_s

    @cached_property
    def besides_s(self) -> float:
        """Fetching cache and state at full bandwidth."""
        return (self.touched.kv_bytes + self.touched.state_bytes) / self.machine.bandwidth_bytes_per_s

    @cached_property
    def unpacking_s(self) -> float:
        """Unpacking with one weight a clock."""
        return self.touched.numbers / (self.machine.units * self.machine.unit_hz)

    @cached_property
    def layer_s(self) -> float:
        """All layers at one clock each."""
        return self.touched.layers / self.machine.unit_hz

    @cached_property
    def expert_layer_s(self) -> float:
        """The layers with experts at one clock each."""
        return self.touched.expert_layers / self.machine.unit_hz


@dataclass(frozen=True)
class Prefill:
    """One published prompt speed."""

    source: str
    anchor: Anchor
    machine: Machine
    steps: tuple[Touched, ...]
    math: Math
    seconds: float


def decodes() -> list[Decode]:
    """Every decode speed of every source, in a fixed order."""
    return [
        Decode(
            key,
            anchor,
            machine_of(BOARDS.get(anchor.board), anchor.mode, on_cpu=anchor.on_cpu),
            anchor_touched(anchor),
            anchor.concurrency / anchor.decode_tokens_per_s,
        )
        for key, source in SOURCES.items()
        for anchor in source.anchors
        if anchor.decode_tokens_per_s
    ]


def prefills() -> list[Prefill]:
    """Every prompt speed whose length is known."""
    found = []
    for key, source in SOURCES.items():
        for anchor in source.anchors:
            if not anchor.prefill_tokens_per_s or not anchor.prompt_tokens:
                continue
            steps = prompt(
                anchor_shape(anchor.model, anchor.format),
                anchor.prompt_tokens,
                chunk_tokens=CHUNK_TOKENS.get(anchor.engine, OTHER_CHUNK_TOKENS),
                sequences=anchor.concurrency,
            )
            found.append(
                Prefill(
                    key,
                    anchor,
                    machine_of(BOARDS.get(anchor.board), anchor.mode, on_cpu=anchor.on_cpu),
                    steps,
                    anchor_math(anchor),
                    anchor.prompt_tokens * anchor.concurrency / anchor.prefill_tokens_per_s,
                )
            )
    return found


def grouped(points: list[Decode]) -> dict[Group, list[Decode]]:
    """The fitted ones by engine and chip."""
    groups: dict[Group, list[Decode]] = defaultdict(list)
    for point in points:
        if point.anchor.fitted:
            groups[point.anchor.engine, point.machine.chip].append(point)
    return dict(sorted(groups.items()))
