"""What distillation wins back on the shipped model: the preset and the searched mix of its bytes, over several seeds.

python benchmarks/recover.py                            Q2_K's bytes, five minutes each, three seeds (35 minutes)
python benchmarks/recover.py --minutes 2 --seeds 1
python benchmarks/recover.py --floors --tokens 600000    12 % fewer bytes than the best preset at seven divergences
python benchmarks/recover.py ... --write                the table into benchmarks/RESULTS.md

Divergence is measured by llama.cpp, on modules of the standard library that neither the model nor this training saw,
and by the training itself on windows of modules that the model was trained on, which are kept from it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sysconfig
import tempfile
from pathlib import Path

from measure.machine import describe_machine, load, today
from measure.tables import replaced, table
from memfit.search.base import Base
from memfit.search.choose import Search, searched_formats
from memfit.search.ladder import rungs
from memfit.search.recover import Recovery, recover
from memfit.search.sensitivity import Sensitivity
from memfit.search.session import Session
from memfit.search.setting import Setting
from memfit.search.text import read_text

RESULTS = Path(__file__).with_name("RESULTS.md")
_TRAINED = ("trained", "gone")
HEAD = ("mix", "seed", "KL, other modules", *_TRAINED, "KL, same modules", *_TRAINED, "tokens", "seconds")
FLOORS = ("Q2_K", "IQ3_XXS", "IQ3_S", "Q3_K_M", "IQ4_XS", "Q4_K_M", "Q5_K_M")
FLOORS_HEAD = (
    "KL of",
    "KL",
    "best preset at it",
    "12 % fewer bytes",
    "searched KL",
    "trained KL",
    "at its KL or below",
)
_FEWER = 0.88
MODEL = Path(__file__).resolve().parents[1] / "models" / "memfit-tiny"
# what the model was not trained on either: tools/tiny/corpus.py
LEFT_OUT = ("site-packages", "test", "tests", "idlelib", "encodings", "pydoc_data", "turtledemo", "lib-dynload")


def main() -> None:
    """Measure, one line a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="Q2_K", help="whose bytes are taken (Q2_K)")
    parser.add_argument("--minutes", type=float, default=5.0, help="of each training (5)")
    parser.add_argument("--tokens", type=int, help="end each training at so many tokens instead")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=["preset", "searched"], help="one of the two mixes")
    parser.add_argument("--floors", action="store_true", help="bytes at equal divergence instead")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    asked = parser.parse_args()
    busy = load()
    with tempfile.TemporaryDirectory(prefix="memfit-recover-") as folder:
        text, held = _texts(Path(folder))
        base = Base(str(MODEL / "memfit-tiny-F16.gguf"))
        with Session(
            base, read_text(str(text)), read_text(str(held)), Setting(), work=Path(folder), said=lambda *_: None
        ) as session:
            search = _learned(session)
            made = _floors(session, search, asked) if asked.floors else _budget(session, search, asked)
    name, head = ("floors", FLOORS_HEAD) if asked.floors else ("recover", HEAD)
    told = f"{describe_machine()}. Measured {today()}, load average {busy} before and {load()} after."
    if asked.write:
        RESULTS.write_text(replaced(RESULTS.read_text(), f"precision-{name}", f"{table(head, made)}\n\n{told}"))
    print(told)


def _budget(session: Session, search: Search, asked: argparse.Namespace) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, formats in _mixes(session, search, asked.preset).items():
        if asked.only is None or (asked.only == "preset") == (name == asked.preset):
            rows += _measure(session, name, formats, asked)
    return rows


def _floors(session: Session, search: Search, asked: argparse.Namespace) -> list[tuple[str, ...]]:
    """Whether 12 % fewer bytes than the best preset's are enough, and enough when they are trained."""
    ladder = {one.preset: one.mix for one in rungs(session.base, session.bench.important) if one.mix is not None}
    every = {
        name: session.measure(mix.formats, unseen=True, plain=True).known.kl_mean or 0.0
        for name, mix in ladder.items()
        if name != "F16"
    }
    rows: list[tuple[str, ...]] = []
    for name in FLOORS:
        floor = every[name]
        best = min((one for one, lost in every.items() if lost <= floor), key=lambda one: ladder[one].bytes)
        mix = search.within_bytes(int(_FEWER * ladder[best].bytes))
        assert mix is not None
        lost = session.measure(mix.formats, unseen=True).known.kl_mean or 0.0
        trained = lost if lost <= floor else _trained(session, mix.formats, asked, lost)
        held = "searched" if lost <= floor else "trained" if trained <= floor else "no"
        made = (f"{floor:.5f}", f"{best} {ladder[best].bytes:,}", f"{mix.bytes:,}")
        figures = (*made, f"{lost:.5f}", f"{trained:.5f}" if lost > floor else "")
        rows.append((name, *figures, held))
        print("  ".join(rows[-1]), flush=True)
    return rows


def _trained(session: Session, formats: dict[str, str], asked: argparse.Namespace, lost: float) -> float:
    found = recover(session, formats, Recovery(minutes=None, tokens=asked.tokens or 600_000))
    if not found.replaced:
        return lost
    path = session.recovered_file(formats, found.replaced)
    return session.measure_file(str(path), unseen=True, full=False).known.kl_mean or 0.0


def _measure(session: Session, name: str, formats: dict[str, str], asked: argparse.Namespace) -> list[tuple[str, ...]]:
    before = session.measure(formats, unseen=True).known.kl_mean or 0.0
    rows, won, own = [], [], []
    for seed in range(asked.seeds):
        minutes = None if asked.tokens else asked.minutes
        found = recover(session, formats, Recovery(seed=seed, minutes=minutes, tokens=asked.tokens))
        path = session.recovered_file(formats, found.replaced) if found.replaced else session.file_of(formats)
        after = session.measure_file(str(path), unseen=True, full=False).known.kl_mean or 0.0
        if path.stat().st_size != session.base.file_bytes(formats):
            raise SystemExit(f"{path} takes other bytes than the formats do")
        record = found.record
        won.append(1 - after / before)
        own.append(1 - record.loss_after / record.loss_before)
        same = (f"{record.loss_before:.4f}", f"{record.loss_after:.4f}", f"{own[-1]:.1%}")
        other = (f"{before:.4f}", f"{after:.4f}", f"{won[-1]:.1%}")
        rows.append((name, str(seed), *other, *same, f"{record.tokens:,}", f"{record.seconds:.0f}"))
        print("  ".join(rows[-1]), flush=True)
    median = f"{statistics.median(won):.1%}", f"{statistics.median(own):.1%}"
    return [*rows, (name, "median", "", "", median[0], "", "", median[1], "", "")]


def _learned(session: Session) -> Search:
    sensitivity = Sensitivity(session.base, session.notes, searched_formats(()))
    session.prepare_probes()
    windows, first, against = session.probes
    sensitivity.learn(session.bench, windows, first=first, against=against, said=lambda *_: None)
    return Search(session, sensitivity)


def _mixes(session: Session, search: Search, preset: str) -> dict[str, dict[str, str]]:
    """The preset's formats, and those that a search gives in its bytes."""
    found = rungs(session.base, session.bench.important, [preset])
    plain = next(one.mix for one in found if one.mix is not None)
    searched = search.within_bytes(plain.bytes)
    assert searched is not None
    return {preset: plain.formats, f"searched in {preset}'s bytes": searched.formats}


def _texts(folder: Path) -> tuple[Path, Path]:
    """The standard library's sources, without and with only the modules that were held out when the model was made."""
    held_out = json.loads((MODEL / "manifest.json").read_text())["corpus"]["held_out_modules"]
    root = Path(sysconfig.get_path("stdlib"))
    names = [path.relative_to(root) for path in sorted(root.rglob("*.py"))]
    given = [name for name in names if not set(name.parts) & set(LEFT_OUT) and name.as_posix() not in held_out]
    text, held = folder / "text.txt", folder / "held.txt"
    text.write_text("\n".join((root / name).read_text(encoding="utf-8", errors="replace") for name in given))
    held.write_text("\n".join((root / name).read_text(encoding="utf-8") for name in held_out))
    return text, held


if __name__ == "__main__":
    main()
