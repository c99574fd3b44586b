"""Generate the graphs of ``memfit.engine._llama_cpp.compute`` from the engine, and check them against it.

``python tools/generate_compute.py [ARCHITECTURE ...]`` traces every architecture that has a card (needs the [llama]
extra; some minutes) and writes ``src/memfit/engine/_llama_cpp/_compute_data/``. The result is deterministic.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph_trace.check import Residual, residuals
from graph_trace.expressions import Expression, Unexplained
from graph_trace.knobs import find_knobs, study_of
from graph_trace.probe import Prober, Refused, describe
from graph_trace.study import Different, Explained, Knobs, Role, Study, difference
from graph_trace.tables import Tables
from graph_trace.turns import Variant, arrangements, explicit, rotatable, variants
from memfit.engine._llama_cpp.graphs import load_graphs
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS, Card

MODELS, OPTIONS, SEED = 10, 12, 20
DOCUMENT = Path(__file__).parent.parent / "docs/compute_buffers.md"
TABLE_BEGIN, TABLE_END = "<!-- residuals: generated -->", "<!-- end of residuals -->"
TABLE_HEAD = (
    "| architecture | cards | compute: n | equal | p50 % | p95 % | max % | under"
    " | work: n | equal | p50 % | p95 % | max % | under |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)
DATA = Path(__file__).parent.parent / "src/memfit/engine/_llama_cpp/_compute_data"


# the structures that show every size once; the others mostly repeat them
THOROUGH = [Variant(flash, "F16", "F16", "streams", back) for flash in (True, False) for back in (False, True)]


class Tracer:
    """Traces one architecture, card by card, into its tables."""

    def __init__(self, prober: Prober, architecture: str) -> None:
        self.prober = prober
        self.tables = Tables(architecture)
        self.pool: list[Expression] = []
        self.seen: set[tuple[str, ...]] = set()
        self.explained: dict[tuple[str, Role], Explained] = {}
        self.first: dict[tuple[str, Role], tuple[str, ...]] = {}
        self.problems: list[str] = []

    def trace(self, card: Card) -> None:
        """Take in what this card has that no card before it had: roles of layers, or optional tensors."""
        tensors = tensor_names(card)
        new_tensors = tensors not in self.seen
        counts = arrangements(card, () if new_tensors else self.tables.roles())
        if not counts:
            return
        self.seen.add(tensors)
        self.tables.cards.append(card.name)
        base = explicit(card)
        knobs: Knobs | None = None
        for variant in variants(base):
            for count in counts:
                knobs = self._variant(base, variant, count, knobs) or knobs

    def _variant(self, card: Card, variant: Variant, count: int, knobs: Knobs | None) -> Knobs | None:
        error: Exception | None = None
        for candidate in rotatable(card) if "Q8_0" in (variant.kv_type_k, variant.kv_type_v) else [card]:
            for fresh in (False, True):
                try:
                    if knobs is None or fresh:
                        knobs = find_knobs(self.prober, candidate, count, variant)
                    thorough = fresh or variant in THOROUGH
                    self._explain(study_of(self.prober, candidate, count, variant, knobs, thorough=thorough))
                    return knobs
                except (Refused, Unexplained, Different) as failure:
                    error = failure
        if "does not support different K" not in str(error):
            self.problems.append(f"{card.name}, {count} layers, {variant}: {error}")
        return knobs

    def _explain(self, study: Study) -> None:
        found: dict[Role, Explained] = {}
        for role in study.sample({}):
            known = self.explained.get((study.graph, role))
            if known is None or not study.gives(role, known):
                found[role] = study.explain(role, self.pool)
        for role, explained in found.items():
            if role.endswith("'"):
                self.problems.append(f"{study.full.name}: layers of role {role[:-1]} differ")
            marked = self._marked(study, role)
            self.explained.setdefault((study.graph, marked), explained)
            if not self.tables.add(study.graph, marked, explained):
                other = difference(self.explained[study.graph, marked].segment, explained.segment)
                self.problems.append(f"{study.full.name}, {study.graph}: {marked} differs: {other}")
        for key in study.knobs.stuck:
            for name in key.split("&"):
                value = study.card.metadata[name]
                if isinstance(value, int):
                    self.tables.stuck[name] = value

    def _marked(self, study: Study, role: Role) -> Role:
        """The role, with a tensor that tells this card from the first one where their graphs differ."""
        first = self.first.setdefault((study.graph, role), tensor_names(study.full))
        ours = tensor_names(study.full)
        if ours == first:
            return role
        added, missing = sorted(set(ours) - set(first)), sorted(set(first) - set(ours))
        mark = added[0] if added else f"-{missing[0]}"
        self.tables.marks.add(mark)
        return f"{role}@{mark}"


def tensor_names(card: Card) -> tuple[str, ...]:
    """The names of a card's tensors without their layers; the output matrix aside, which does not change the graph."""
    names = {
        tensor.name.split(".", 2)[2] if tensor.name.startswith("blk.") else tensor.name
        for tensor in describe(card).tensors
    }
    return tuple(sorted(names - {"output.weight"}))


def plainness(card: Card) -> int:
    """How many sizes of a card coincide or are 1, so that they hide in products: cards with few are traced first."""
    shape = describe(card)
    layers = [layer for layer in shape.trunk if layer.heads]
    if not layers:
        return 0
    layer = layers[0]
    return (
        2 * (layer.kv_heads == 1)
        + (layer.kv_heads == layer.heads)
        + (layer.key_length % 64 != 0)
        + (layer.heads * layer.key_length == shape.embedding_length)
        + 2 * (layer.kv_heads % 2 and layer.heads % 2)
    )


def generate(architectures: Sequence[str]) -> None:
    """Trace, write, check, and put the table of residuals into the documentation."""
    DATA.mkdir(exist_ok=True)
    prober = Prober()
    cards: dict[str, list[Card]] = {}
    for _, card in sorted(CARDS.items(), key=lambda item: (plainness(item[1]), item[0])):
        cards.setdefault(ARCHITECTURES.get(card.architecture).name, []).append(card)
    rows = []
    for architecture in sorted(architectures or cards):
        started, prober.asked = time.monotonic(), 0
        tracer = Tracer(prober, architecture)
        for card in cards[architecture]:
            for sibling in (card, *siblings(card)):
                tracer.trace(sibling)
        tables = tracer.tables.as_json()
        write(tables)
        compute = residuals(cards[architecture], models=MODELS, options=OPTIONS, seed=SEED)
        work = residuals(cards[architecture], models=MODELS, options=OPTIONS, seed=SEED + 1, work=True)
        tables["checked"] = summary(compute)
        size = write(tables)
        rows.append(row(architecture, len(cards[architecture]), compute, work))
        print(f"{rows[-1]} {size} bytes, {prober.asked} graphs, {time.monotonic() - started:.1f} s", flush=True)
        for problem in tracer.problems[:5]:
            print(f"    {problem[:300]}")
        for residual in [residual for residual in compute if abs(residual.error) > 0.03 or residual.under][:3]:
            print(f"    {residual.model}: {residual.error:+.1%}, {residual.estimate.error[:120]}")
    prober.close()
    if not architectures:
        document(rows)


def siblings(card: Card) -> list[Card]:
    """Models like it whose graphs differ from its own though no card shows them: one expert a token, or several."""
    if card.metadata.get("expert_used_count") != 1:
        return []
    return [
        replace(card, name=f"{card.name} with 2 experts a token", metadata={**card.metadata, "expert_used_count": 2})
    ]


def write(tables: dict[str, Any]) -> int:
    """Write one architecture's file; returns its bytes."""
    text = json.dumps(tables, separators=(",", ":")) + "\n"
    (DATA / f"{tables['architecture']}.json").write_text(text)
    load_graphs.cache_clear()
    return len(text)


def summary(found: Sequence[Residual]) -> dict[str, Any]:
    """What ``graphs.Checked`` holds: of what lies inside the traces; the rest has bounds of its own."""
    inside = [residual for residual in found if residual.estimate.low_bytes == residual.estimate.high_bytes]
    return {
        "settings": len(inside),
        "equal": sum(residual.error == 0 for residual in inside),
        "under": sum(residual.under for residual in inside),
        "largest_error": round(max((abs(residual.error) for residual in inside), default=0.0), 4),
    }


def row(architecture: str, cards: int, compute: Sequence[Residual], work: Sequence[Residual]) -> str:
    """One line of the table of residuals."""
    cells = [f"`{architecture}`", str(cards)]
    for found in (compute, work):
        errors = sorted(abs(residual.error) for residual in found)
        places = [errors[min(len(errors) - 1, int(share * len(errors)))] if errors else 0.0 for share in (0.5, 0.95, 1)]
        under = sum(residual.under for residual in found)
        equal = sum(error == 0 for error in errors)
        cells += [str(len(errors)), str(equal), *(f"{100 * place:.1f}" for place in places), str(under)]
    return "| " + " | ".join(cells) + " |"


def document(rows: Sequence[str]) -> None:
    """Replace the table in the documentation."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(TABLE_BEGIN)
    _, _, after = rest.partition(TABLE_END)
    DOCUMENT.write_text(before + TABLE_BEGIN + "\n" + "\n".join((*TABLE_HEAD, *rows)) + "\n" + TABLE_END + after)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", metavar="ARCHITECTURE", help="all where none is named")
    generate(parser.parse_args().architectures)
