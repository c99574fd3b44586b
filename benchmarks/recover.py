"""What distillation wins back on the shipped model: the preset and the searched mix of its bytes, over several seeds.

python benchmarks/recover.py                            Q2_K's bytes, five minutes each, three seeds (35 minutes)
python benchmarks/recover.py --minutes 2 --seeds 1

Divergence is measured by llama.cpp, on modules of the standard library that neither the model nor this training saw.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sysconfig
import tempfile
import time
from pathlib import Path

from memfit.search.base import Base
from memfit.search.choose import Search, searched_formats
from memfit.search.ladder import rungs
from memfit.search.recover import Recovery, recover
from memfit.search.sensitivity import Sensitivity
from memfit.search.session import Session, Setting
from memfit.search.text import read_text

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
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memfit-recover-") as folder:
        text, held = _texts(Path(folder))
        base = Base(str(MODEL / "memfit-tiny-F16.gguf"))
        with Session(
            base, read_text(str(text)), read_text(str(held)), Setting(), work=Path(folder), said=lambda *_: None
        ) as session:
            for name, formats in _mixes(session, asked.preset).items():
                _measure(session, name, formats, asked)


def _measure(session: Session, name: str, formats: dict[str, str], asked: argparse.Namespace) -> None:
    before = session.measure(formats, unseen=True).known.kl_mean or 0.0
    won = []
    for seed in range(asked.seeds):
        busy = time.process_time()
        minutes = None if asked.tokens else asked.minutes
        found = recover(session, formats, Recovery(seed=seed, minutes=minutes, tokens=asked.tokens))
        busy = time.process_time() - busy
        path = session.recovered_file(formats, found.replaced) if found.replaced else session.file_of(formats)
        after = session.measure_file(str(path), unseen=True, full=False).known.kl_mean or 0.0
        won.append(1 - after / before)
        same = "the same bytes" if path.stat().st_size == session.base.file_bytes(formats) else "OTHER BYTES"
        record = found.record
        print(
            f"{name}, seed {seed}: {before:.4f} -> {after:.4f} ({-won[-1]:+.1%}),"
            f" {path.stat().st_size:,} bytes, {same};"
            f" {record.steps} steps, {record.tokens:,} tokens, {record.seconds:.0f} s, {busy:.0f} s of processors",
            flush=True,
        )
    print(f"{name}: median {-statistics.median(won):+.1%}", flush=True)


def _mixes(session: Session, preset: str) -> dict[str, dict[str, str]]:
    """The preset's formats, and those that a search gives in its bytes."""
    base = session.base
    plain = next(one.mix for one in rungs(base, session.bench.important, [preset]) if one.mix is not None)
    sensitivity = Sensitivity(base, session.notes, searched_formats(()))
    session.prepare_probes()
    windows, first, against = session.probes
    sensitivity.learn(session.bench, windows, first=first, against=against, said=lambda *_: None)
    searched = Search(session, sensitivity).within_bytes(plain.bytes)
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
