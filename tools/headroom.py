"""What runs took of the room that is kept for what no term names, and what another share of it would decide.

    python tools/headroom.py               # of the records of make verify-accuracy and make soak
    python tools/headroom.py --share 0.003 # another share

A share holds where no run took more than what it leaves, and where everything that was killed is still refused.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from memfit.engine._llama_cpp.terms import LIBRARY_SHARE, PEAK_LEAST_BYTES
from memfit.units import MIB
from soaking.book import Book
from soaking.headroom import kept_without
from verify_accuracy import RECORDS as ACCURACY
from verify_accuracy import _read

SOAK = ACCURACY.parent / "soak-1.jsonl"


class Took(NamedTuple):
    """One run: what it took beyond all named terms at their highest, and what cannot be evicted of those."""

    name: str
    beyond_bytes: int
    kept_bytes: int

    def is_held(self, share: float) -> bool:
        """Whether a headroom of this share is enough for it."""
        return self.beyond_bytes <= max(PEAK_LEAST_BYTES, int(self.kept_bytes * share))


def of_accuracy(path: Path = ACCURACY) -> list[Took]:
    """Every run of ``tools/verify_accuracy.py``, of its own prediction's headroom."""
    found = []
    for one in _read(path):
        predicted, observed = one.verification.predicted, one.verification.observed.compared_bytes
        room = sum(term.high_bytes for term in predicted.terms if term.name == "peak_headroom")
        named = predicted.high_bytes - room
        found.append(
            Took(f"{one.card} {one.setting} {one.load_mode}", observed - named, named - predicted.evictable_bytes)
        )
    return found


def of_soak(path: Path = SOAK) -> list[Took]:
    """Every run of ``tools/soak.py`` that came to its end without meeting its limit."""
    book = Book(path, None)
    found = []
    for one in book.runs.values():
        kept = kept_without(book.decisions[one.index].kept_bytes)
        if one.verdict in ("failed", "killed") or one.pressed:
            continue
        named = one.high_bytes - (book.decisions[one.index].kept_bytes - kept)
        found.append(Took(f"{one.index} {one.card}", one.observed_bytes - named, kept))
    return found


def let_in(share: float, path: Path = SOAK) -> list[str]:
    """What was killed under its limit, and would be said to fit into it with this share."""
    book = Book(path, None)
    found = []
    for one in book.runs.values():
        before = book.decisions[one.index].kept_bytes
        kept = kept_without(before)
        saved = (before - kept) - max(PEAK_LEAST_BYTES, int(kept * share))
        if one.verdict == "killed" and one.required_bytes - saved <= one.limit_bytes:
            found.append(f"{one.index} {one.card}")
    return found


def main() -> None:
    """Print what the records say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=LIBRARY_SHARE, metavar="S", help=f"of it ({LIBRARY_SHARE:g})")
    share = parser.parse_args().share
    for what, runs in (("verify-accuracy", of_accuracy()), ("soak", of_soak())):
        print(f"{what}: {_said(runs, share)}")
    print(f"killed, and said to fit with {share:.2%}: {', '.join(let_in(share)) or 'none'}")


def _said(runs: Sequence[Took], share: float) -> str:
    most = max(runs, key=lambda one: one.beyond_bytes)
    short = [one.name for one in runs if not one.is_held(share)]
    return (
        f"{len(runs)} runs, at most {most.beyond_bytes / MIB:.1f} MiB beyond all named terms ({most.name});"
        f" {share:.2%} is too little for {', '.join(short) or 'none'}"
    )


if __name__ == "__main__":
    main()
