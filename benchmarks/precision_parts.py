"""What the benchmarks of precision are made of: texts, a session with everything learned, other programs."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memfit.engine.predictions import Scored, Window
from memfit.search.base import Base
from memfit.search.choose import Mix, Search
from memfit.search.ladder import rungs
from memfit.search.sensitivity import FORMATS_SEARCHED, Sensitivity
from memfit.search.session import Session
from memfit.search.setting import Setting
from memfit.search.statistics import mean
from memfit.search.text import read_text

MODEL = Path(__file__).parents[1] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
# modules that the model was trained on, and those held out of it (tools/tiny/corpus.py)
SEARCHED_ON = ("argparse.py", "ast.py", "inspect.py", "logging/__init__.py", "tarfile.py")
MEASURED_ON = (
    "configparser.py", "difflib.py", "heapq.py", "html/parser.py", "http/cookies.py",
    "shlex.py", "statistics.py", "textwrap.py", "tomllib/_parser.py", "zipapp.py",
)  # fmt: skip
TRIALS_HEAD = ("trials", "count", "figure", "goal")
EVALUATE_HEAD = ("", "KL", "perplexity", "same top token", "seconds", "kept, bytes")
_TRIALS = 1000
_MEASURED_WINDOWS = 48


def texts(folder: Path) -> tuple[Path, Path]:
    """The two texts as files."""
    folder.mkdir(parents=True, exist_ok=True)
    library = Path(sysconfig.get_path("stdlib"))
    made = []
    for name, modules in (("search.txt", SEARCHED_ON), ("unseen.txt", MEASURED_ON)):
        path = folder / name
        path.write_text("".join((library / module).read_text(encoding="utf-8") for module in modules))
        made.append(path)
    return made[0], made[1]


@contextmanager
def opened(folder: Path, threads: int | None) -> Iterator[tuple[Session, Search, dict[str, Mix]]]:
    """A session in which every tensor was probed, the search on it, and the presets."""
    searched, unseen = texts(folder)
    base = Base(str(MODEL))
    setting = Setting(threads=threads)
    with Session(
        base, read_text(str(searched)), read_text(str(unseen)), setting, work=folder / "work", said=_silent
    ) as session:
        sensitivity = Sensitivity(base, session.notes, FORMATS_SEARCHED)
        session.prepare_probes()
        windows, first, against = session.probes
        sensitivity.learn(session.bench, windows, first=first, against=against, said=_silent)
        found = rungs(base, session.bench.important)
        ladder = {one.preset: one.mix for one in found if one.mix is not None and one.preset != "F16"}
        yield session, Search(session, sensitivity), ladder


def trials(session: Session, searched: Search, ladder: dict[str, Mix]) -> list[tuple[str, ...]]:
    """Claims on some windows held against all others, and predictions against measurements."""
    windows = sorted(set(range(*session.unseen_bounds)))
    list(session.bench.reference("trials", windows, first=session.first))
    measured: list[tuple[Window, ...]] = []
    off: list[float] = []
    uncorrected: list[float] = []
    for name in ("Q2_K", "IQ3_S", "Q3_K_M", "IQ4_XS", "Q4_K_M", "Q5_K_M"):
        for share in (0.94, 1.0):
            mix = searched.within_bytes(int(ladder[name].bytes * share))
            assert mix is not None
            path = session.file_of(mix.formats)
            *_, scored = session.bench.score(str(path), windows, first=session.first, against="trials")
            assert isinstance(scored, Scored)
            measured.append(scored.windows)
            # as a search goes: a first mix corrects, the next is predicted with that
            own = searched.correct(mix).known.kl_mean or 0.0
            (off if share == 1.0 else uncorrected).append(abs((mix.predicted_kl or 0.0) / own - 1))
            if share == 1.0:
                searched.scale = 1.0
    draw = random.Random(1)
    claims = wrong = 0
    for _ in range(_TRIALS):
        these = draw.choice(measured)
        chosen = set(draw.sample(range(len(these)), _MEASURED_WINDOWS))
        seen = [one for place, one in enumerate(these) if place in chosen]
        others = [one for place, one in enumerate(these) if place not in chosen]
        truth, _ = mean([one.divergence or 0.0 for one in others], [one.tokens for one in others])
        _, (_, high) = mean([one.divergence or 0.0 for one in seen], [one.tokens for one in seen])
        floor = truth * draw.uniform(0.85, 1.25)
        if high <= floor:
            claims += 1
            wrong += truth > floor
    return [
        ("said to hold, of floors drawn from 0.85 to 1.25 of the truth", f"{claims} of {_TRIALS}", "", ""),
        ("of those, broken on the other windows", str(wrong), f"{_upper(wrong, claims):.2%} at most", "≤ 5 %"),
        ("predicted against measured KL, nothing measured before, most", str(len(uncorrected)), _most(uncorrected), ""),
        ("predicted against measured KL, corrected by one mix, most", str(len(off)), _most(off), "≤ 15 % at p90"),
    ]


def _most(shares: list[float]) -> str:
    return f"{max(shares):.1%}"


def _upper(wrong: int, claims: int) -> float:
    """Upper end of a one-sided 95 % interval of a share (Clopper-Pearson), by halving."""
    import math

    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        tail = sum(math.comb(claims, k) * share**k * (1 - share) ** (claims - k) for k in range(wrong + 1))
        low, high = (share, high) if tail > 0.05 else (low, share)
    return high


def whole_search(folder: Path, options: list[str], threads: int | None) -> tuple[int, float]:
    """``memfit quantize`` as a command, in a folder of its own; the file's bytes and its measured divergence."""
    searched, unseen = texts(folder)
    words = [
        sys.executable, "-m", "memfit", "quantize", str(MODEL), *options, "--text", str(searched),
        "--unseen", str(unseen), "--out", str(folder / "out.gguf"), "--work", str(folder / "work"), "--json",
        *(["--threads", str(threads)] if threads else []),
    ]  # fmt: skip
    found = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return found["bytes"], found["quality"]["kl_mean"]


def beside_perplexity(tools: Path, folder: Path, threads: int | None) -> list[tuple[str, ...]]:
    """Both programs on one Q4_K_M file, each from nothing: the base's pass and the other's."""
    _, unseen = texts(folder)
    quantized, logits, kept = folder / "q.gguf", folder / "logits.bin", folder / "base.ref"
    count = str(threads or len(os.sched_getaffinity(0)))
    _run([str(tools / "llama-quantize"), str(MODEL), str(quantized), "Q4_K_M", count])
    common = [str(tools / "llama-perplexity"), "-f", str(unseen), "-t", count, "--kl-divergence-base", str(logits)]
    theirs_s, _ = _run([*common, "-m", str(MODEL)])
    second_s, said = _run([*common, "-m", str(quantized), "--kl-divergence"])
    ours = [sys.executable, "-m", "memfit", "evaluate"]
    shared = ["--text", str(unseen), "--no-speed", "--threads", count, "--json"]
    once_s, exact = _run([*ours, str(quantized), "--against", str(MODEL), *shared])
    keep_s, _ = _run([*ours, str(MODEL), "--keep-reference", str(kept), *shared])
    held_s, sampled = _run([*ours, str(quantized), "--against", str(kept), *shared])
    return [
        (
            "llama-perplexity",
            _figure(said, r"Mean\s+KLD:\s+([0-9.]+)"),
            _figure(said, r"Mean PPL\(Q\)\s+:\s+([0-9.]+)"),
            _figure(said, r"Same top p:\s+([0-9.]+)") + " %",
            f"{theirs_s + second_s:.1f}",
            f"{logits.stat().st_size:,}",
        ),
        ("memfit, both at once", *_of(exact), f"{once_s:.1f}", "0"),
        ("memfit, by a kept reference", *_of(sampled), f"{keep_s + held_s:.1f}", f"{kept.stat().st_size:,}"),
    ]


def _of(record: str) -> tuple[str, str, str]:
    found = json.loads(record)
    return f"{found['kl_mean']:.6f}", f"{found['perplexity']:.6f}", f"{found['top1']:.3%}"


def _figure(said: str, pattern: str) -> str:
    found = re.search(pattern, said)
    assert found is not None, said[-2000:]
    return found[1]


def _run(words: list[str]) -> tuple[float, str]:
    began = time.monotonic()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return time.monotonic() - began, done.stdout + ("" if words[0] == sys.executable else done.stderr)


def _silent(_what: str, _done: int, _total: int) -> None:
    pass
