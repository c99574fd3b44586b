"""Generate the graphs of ``memfit.engine._llama_cpp.compute`` from the engine, and check them against it.

``python tools/generate_compute.py [ARCHITECTURE ...]`` traces every architecture that has a card (needs the [llama]
extra; some minutes) and writes ``src/memfit/engine/_llama_cpp/_compute_data/``. The result is deterministic.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graph_trace.check import Residual, residuals
from graph_trace.expressions import Expression, Unexplained
from graph_trace.knobs import find_knobs, study_of
from graph_trace.probe import Prober, Refused, describe
from graph_trace.siblings import siblings
from graph_trace.study import Different, Explained, Knobs, Role, Study, difference
from graph_trace.tables import Tables
from graph_trace.turns import Variant, arrangements, explicit, other_counts, rotatable, variants, with_few_words
from memfit.engine._llama_cpp.graphs import load_graphs
from memfit.engine._llama_cpp.symbols import TOKEN, WINDOW, several, tensor_set
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


@dataclass
class Entry:
    """A segment as it was explained, and the sets of tensors whose models have it."""

    explained: Explained
    tensor_sets: set[int] = field(default_factory=set)


class Tracer:
    """Traces one architecture, card by card, into its tables."""

    def __init__(self, prober: Prober, architecture: str) -> None:
        self.prober = prober
        self.tables = Tables(architecture)
        self.pool: list[Expression] = []
        self.entries: dict[tuple[str, Role], list[Entry]] = {}
        self.problems: list[str] = []

    def trace(self, card: Card) -> None:
        """Take in what this card has that no card before it had: a set of tensors, or roles of layers."""
        shape = describe(card)
        tensors = self.tables.set_of(tensor_set(shape))
        layers = arrangements(card, self._roles(tensors, windowed=bool(shape.window_tokens)))
        if not layers:
            return
        self.tables.cards.append(card.name)
        base = with_few_words(explicit(card))
        knobs: Knobs | None = None
        each = [(count, *other_counts(base, count)) for count in layers]
        for number, variant in enumerate(variants(base)):
            for counts in each:
                found = self._variant(base, variant, counts, tensors, knobs)
                if found is not None and variant.slots == "one":
                    self._variant(base, replace(variant, token=True), counts, tensors, found)
                if found is None and number == 0 and counts[0] < layers[0]:
                    # so short a graph lacks what all others have, such as a second mask
                    each = [others for others in each if others != counts]
                knobs = found or knobs

    def _roles(self, tensors: int, *, windowed: bool) -> set[Role]:
        """The roles known in every graph with windows, or in every graph without, of models with these tensors."""
        graphs: dict[str, set[Role]] = {}
        for (graph, role), entries in self.entries.items():
            words = graph.split(".")
            if (WINDOW in words) == windowed and TOKEN not in words:
                known = graphs.setdefault(graph, set())
                known.update(role for entry in entries if tensors in entry.tensor_sets)
        return set.intersection(*graphs.values()) if graphs else set()

    def _variant(
        self, card: Card, variant: Variant, counts: Sequence[int], tensors: int, knobs: Knobs | None
    ) -> Knobs | None:
        """Trace one structure; the knobs that turned it, None where it did not work out."""
        error: Exception | None = None
        for candidate in rotatable(card) if "Q8_0" in (variant.kv_type_k, variant.kv_type_v) else [card]:
            for fresh in (False, True):
                try:
                    if knobs is None or fresh:
                        knobs = find_knobs(self.prober, candidate, counts, variant)
                    thorough = fresh or variant in THOROUGH
                    self._explain(study_of(self.prober, candidate, counts, variant, knobs, thorough=thorough), tensors)
                    return knobs
                except (Refused, Unexplained, Different) as failure:
                    error = failure
        # of some combinations of cache formats the engine says no more than that it takes none
        if not isinstance(error, Refused) or "died" in str(error):
            self.problems.append(f"{card.name}, {counts[0]} layers, {variant}: {error}")
        return None

    def _explain(self, study: Study, tensors: int) -> None:
        roles = list(study.sample({}))
        if any(role.endswith("'") for role in roles):
            raise Different(f"layers of one role differ: {', '.join(roles)}")
        if study.variant.token and all(self._known(study, role, several(study.graph), tensors) for role in roles):
            return
        # all or nothing: the roles of a graph that differs from what is known would not fit to those that are
        found = [
            self._known(study, role, study.graph, tensors) or Entry(study.explain(role, self.pool)) for role in roles
        ]
        for role, entry in zip(roles, found, strict=True):
            entries = self.entries.setdefault((study.graph, role), [])
            if entry not in entries:
                entries.append(entry)
            entry.tensor_sets.add(tensors)
            self.tables.add(study.graph, role, tensors, entry.explained)
        self.tables.turned.update(name for knob in study.knobs.names for name in knob.split("&"))
        for key in study.knobs.stuck:
            for name in key.split("&"):
                value = study.card.metadata[name]
                if isinstance(value, int):
                    self.tables.stuck[name] = value

    def _known(self, study: Study, role: Role, graph: str, tensors: int) -> Entry | None:
        """What explains this role here too.

        Raises:
            Different: models with these tensors are known to have another segment.
        """
        entries = self.entries.get((graph, role), [])
        own = next((entry for entry in entries if tensors in entry.tensor_sets), None)
        if own is not None:
            if study.gives(role, own.explained):
                return own
            if graph != study.graph:
                return None
            seen = study.sample({})[role].segment
            raise Different(f"{graph}: {role} is not as before: {difference(own.explained.segment, seen)}")
        return next((entry for entry in entries if study.gives(role, entry.explained)), None)


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
        alike = {card.build(): card for card in reversed(cards[architecture])}
        distinct = [card for card in cards[architecture] if alike[card.build()] is card]
        for card in distinct:
            for sibling in (card, *siblings(card)):
                tracer.trace(sibling)
        tables = tracer.tables.as_json()
        write(tables)
        models = [model for card in distinct for model in (card, *siblings(card))]
        compute = residuals(models, models=MODELS, options=OPTIONS, seed=SEED)
        work = residuals(models, models=MODELS, options=OPTIONS, seed=SEED + 1, work=True)
        if not compute or not work:
            raise SystemExit(f"{architecture}: the engine answered nothing to check with")
        tables["checked"] = summary(compute)
        size = write(tables)
        rows.append(row(architecture, len(cards[architecture]), compute, work))
        print(f"{rows[-1]} {size} bytes, {prober.asked} graphs, {time.monotonic() - started:.1f} s", flush=True)
        for problem in tracer.problems[:5]:
            print(f"    {problem[:300]}")
        for residual in [residual for residual in compute if abs(residual.error) > 0.03 or residual.under][:3]:
            print(f"    {residual.model}: {residual.error:+.1%}, {residual.estimate.error[:120]}")
    prober.close()
    document(rows)


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
    """Put these lines into the table in the documentation, in the place of those of the same architectures."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(TABLE_BEGIN)
    table, _, after = rest.partition(TABLE_END)
    lines = {line.split("`")[1]: line for line in (*table.splitlines(), *rows) if line.startswith("| `")}
    whole = "\n".join((*TABLE_HEAD, *(lines[name] for name in sorted(lines))))
    DOCUMENT.write_text(before + TABLE_BEGIN + "\n" + whole + "\n" + TABLE_END + after)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", metavar="ARCHITECTURE", help="all where none is named")
    generate(parser.parse_args().architectures)
