"""Predictions beside real runs: 6 shapes of 1B to 8B, 8 sets of options, mmap on and off; before and after calibration.

    python tools/verify_accuracy.py                      # all 96 runs and 12 repeated; two hours on two cores
    python tools/verify_accuracy.py --shapes 1 --again 2 # the smallest shape
    python tools/verify_accuracy.py --write              # put the tables into docs/verification.md

Weights are random and of real size (``memfit fabricate``). Results are appended to a file as they come, so that an
interrupted call goes on where it ended; the file is kept in the repository with what the tables were made of. Needs
memfit[llama].
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from memfit.engine.records import Deployment, LoadMode, Options, Workload
from memfit.engine.runtimes import ENGINES
from memfit.footprint.calibration import Calibration, calibrated
from memfit.footprint.setting import setting_digest
from memfit.measure.calibrate import learned, of_engine, residual_of
from memfit.measure.records import Verification
from memfit.measure.verify import verify
from memfit.model import find_model, read_shape
from memfit.model.cards import CARDS
from memfit.units import GIB, MIB
from soaking.files import Files
from soaking.shareable import shareable

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "verification.md"
RECORDS = ROOT / "benchmarks" / "records" / "accuracy.jsonl"

# smallest first; every format that x86 rearranges and one that it does not
SHAPES = (
    ("llama_3_2_1b", "Q4_K_M"),
    ("qwen3_1_7b", "Q8_0"),
    ("gemma_2_2b", "Q4_0"),
    ("qwen3_4b", "Q4_K_M"),
    ("mistral_7b_v0_3", "Q4_K_M"),
    ("llama_3_1_8b", "Q4_0"),
)
# without flash attention the graph of a short prompt touches less than it reserves: only a full context touches all
SETTINGS = {
    "4k": (Options(), Workload(generate_tokens=16)),
    "16k": (Options(context_tokens=16384), Workload(generate_tokens=16)),
    "8k, q8_0 cache": (
        Options(context_tokens=8192, kv_type_k="Q8_0", kv_type_v="Q8_0"),
        Workload(generate_tokens=16),
    ),
    "4 slots": (Options(context_tokens=8192, slots=4), Workload(generate_tokens=16, users=4)),
    "4 slots, unified, as the server": (
        Options(context_tokens=8192, slots=4, unified_kv=True, output_rows=4, full_window_cache=False),
        Workload(generate_tokens=16, users=4),
    ),
    "ubatch 128": (Options(ubatch_tokens=128), Workload(generate_tokens=16)),
    "weights not rearranged": (Options(repack=False), Workload(generate_tokens=16)),
    "no flash attention, 1k full": (
        Options(context_tokens=1024, flash_attention=False),
        Workload(generate_tokens=16, fill_context=True),
    ),
}
LOAD_MODES: tuple[LoadMode, ...] = ("mmap", "none")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one cell; ``again`` counts repetitions."""

    card: str
    format: str
    setting: str
    load_mode: str
    again: int
    digest: str
    verification: Verification

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What it is found by."""
        return self.card, self.setting, self.load_mode, self.again

    @property
    def machine(self) -> str:
        """Where it ran."""
        return self.verification.observation.machine.key


def main() -> None:
    """Read the command line, run what is missing, print or write the tables."""
    given = _arguments()
    results = {result.key: result for result in _read(given.results)}
    if not given.tables:
        _check_alike(results.values(), engine=ENGINES.get("llama_cpp").installed_version(), path=given.results)
    files = Files(given.models, int(given.disk * GIB))
    for card, preset in SHAPES[: given.shapes]:
        for setting in SETTINGS:
            for load_mode in LOAD_MODES:
                for again in range(2 if setting in list(SETTINGS)[: given.again] else 1):
                    key = (card, setting, load_mode, again)
                    if key not in results and not given.tables:
                        results[key] = _run(files, card, preset, setting, load_mode, again)
                        _append(given.results, results[key])
                        _say(results[key])
    text = tables(results.values())
    print(text)
    if given.write:
        _write(text)


def _run(files: Files, card: str, preset: str, setting: str, load_mode: LoadMode, again: int) -> Result:
    options, workload = SETTINGS[setting]
    options = msgspec.structs.replace(options, load_mode=load_mode)
    shape = find_model(CARDS.get(card).name, format=preset)
    path = files.get(card, preset, shape.weights_bytes)
    deployment = Deployment(model=str(path), options=options)
    found = verify(deployment, workload=workload, calibration=None, learn=False)
    threads = found.predicted.device.threads
    digest = setting_digest(read_shape(path), options, "library", threads=threads)
    found = shareable(found, path)
    # what was drawn over time is not part of the tables
    found = msgspec.structs.replace(found, observation=msgspec.structs.replace(found.observation, readings=()))
    return Result(
        card=card,
        format=preset,
        setting=setting,
        load_mode=load_mode,
        again=again,
        digest=digest,
        verification=found,
    )


def tables(results: Iterable[Result]) -> str:
    """Residuals by shape and load mode, and what calibration changes in them."""
    found = list(results)
    first = [one for one in found if not one.again]
    lines = [
        "| model | load | runs | off: median | p95 | most | above high |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    groups = [(card, preset, mode) for card, preset in SHAPES for mode in LOAD_MODES]
    for card, preset, mode in groups:
        group = [one for one in first if (one.card, one.load_mode) == (card, mode)]
        if group:
            lines.append(_row(f"{CARDS.get(card).name} {preset}", mode, group))
    if first:
        lines += [_row("all", "", first), "", _taught_by_others(first)]
    twice = [one for one in found if one.again]
    if twice:
        after = sorted(abs(_after_own(one, first)) for one in twice)
        before = sorted(abs(one.verification.residual_ratio) for one in twice)
        of = " and ".join(f"`{name}`" for name in dict.fromkeys(one.setting for one in twice))
        lines += [
            "",
            f"The second run of {len(twice)} deployments, all of them with the options {of}, predicted from the first:"
            f" p95 {_at(after, 0.95)}, most {_at(after, 1)} (without calibration {_at(before, 0.95)} and"
            f" {_at(before, 1)}).",
        ]
    wanted = len(SHAPES) * len(SETTINGS) * len(LOAD_MODES)
    if 0 < len(first) < wanted:
        lines += ["", f"{len(first)} of {wanted} runs so far; the same command goes on from them."]
    if twice:
        lines += ["", f"{len(found)} runs in all: the {len(first)} of the table and {len(twice)} repeated."]
    for machine in dict.fromkeys(one.machine for one in found):
        lines += ["", _setting([one for one in found if one.machine == machine])]
    return "\n".join(lines)


def _taught_by_others(first: Sequence[Result]) -> str:
    """What calibration by the runs of other settings changes in the figures of the table."""
    before = [abs(_off(one, [])) for one in first]
    after = [abs(_after_others(one, first)) for one in first]
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if f"{one:.2%}" != f"{other:.2%}"]
    told = "Predicted from the runs of all other settings, as one that never ran here is,"
    if not pairs:
        return f"{told} none of these figures is another."
    nearer = sum(other < one for one, other in pairs)
    return (
        f"{told} {nearer} of the {len(first)} come nearer and {len(pairs) - nearer} farther off: median"
        f" {statistics.median(after):.2%}, p95 {_at(sorted(after), 0.95)}, most {_at(sorted(after), 1)}."
    )


def _setting(results: Sequence[Result]) -> str:
    """How many runs, where and when, on one machine."""
    observations = [one.verification.observation for one in results]
    newest = max(observations, key=lambda observation: observation.began)
    machine, engine = newest.machine, newest.engine
    repeated = sum(bool(one.again) for one in results)
    runs = f"{len(results)} runs ({repeated} of them repeated)" if repeated else f"{len(results)} runs"
    kernels = Counter(observation.machine.kernel for observation in observations)
    days = sorted({observation.began[:10] for observation in observations})
    return (
        f"{runs} on {machine.board or machine.cpu}, {machine.threads} threads, {machine.total_bytes / GIB:.1f} GiB,"
        f" Linux {_counted(kernels)}; llama.cpp {engine.version}; memfit {newest.memfit_version};"
        f" {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}."
    )


def _counted(names: Counter[str]) -> str:
    """``6.1 (40 runs) and 6.6 (51)``; of one its name alone."""
    if len(names) == 1:
        return next(iter(names))
    told = [
        f"{name} ({count}{' runs' if not index else ''})" for index, (name, count) in enumerate(sorted(names.items()))
    ]
    return " and ".join(told)


def _row(name: str, mode: str, group: Sequence[Result]) -> str:
    off = sorted(abs(one.verification.residual_ratio) for one in group)
    above = sum(one.verification.observed.compared_bytes > one.verification.predicted.high_bytes for one in group)
    middle = f"{statistics.median(off):.2%}"
    return f"| {name} | {mode} | {len(group)} | {middle} | {_at(off, 0.95)} | {_at(off, 1)} | {above} |"


def _after_own(second: Result, first: Sequence[Result]) -> float:
    """How far the second run is off what the first one taught."""
    return _off(second, [one for one in first if one.key[:3] == second.key[:3]])


def _after_others(one: Result, everything: Sequence[Result]) -> float:
    """How far a run is off what all other settings taught."""
    return _off(one, [other for other in everything if other.digest != one.digest])


def _off(one: Result, taught: Iterable[Result]) -> float:
    calibration: Calibration = of_engine(one.verification.observation)
    for other in (other for other in taught if other.machine == one.machine):  # a calibration is of one machine
        residual = residual_of(other.verification.predicted, other.verification.observation, other.digest)
        if residual is not None:
            calibration = learned(calibration, residual)
    likely = calibrated(one.verification.predicted, calibration, one.digest).likely_bytes
    return one.verification.observed.compared_bytes / likely - 1


def _at(ordered: Sequence[float], quantile: float) -> str:
    return f"{ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]:.2%}" if ordered else ""


def _check_alike(results: Iterable[Result], *, engine: str, path: Path) -> None:
    """Refuse to go on with the runs of another engine: a table is of one, and says on which machines.

    Raises:
        SystemExit: they are of another.
    """
    for result in results:
        version = result.verification.observation.engine.version
        if engine not in version:  # which names the commit beside it
            raise SystemExit(f"{path} holds runs of {version}, and this is {engine}: give --results another file")


def _read(path: Path) -> list[Result]:
    """What was done already; a last line that was cut off is cut away, so that the next one starts a line."""
    if not path.exists():
        return []
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        path.write_bytes(content)
    return [msgspec.json.decode(line, type=Result) for line in content.splitlines()]


def _append(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(msgspec.json.encode(result) + b"\n")


def _say(result: Result) -> None:
    found = result.verification
    print(
        f"{result.card} {result.setting}, {result.load_mode}: {found.compared_bytes / MIB:.1f} MiB predicted,"
        f" {found.observed.compared_bytes / MIB:.1f} observed, {found.residual_ratio:+.2%}",
        file=sys.stderr,
        flush=True,
    )


def _write(text: str) -> None:
    marked = re.compile(r"(<!-- accuracy -->\n).*(<!-- /accuracy -->)", re.DOTALL)
    page = REPORT.read_text(encoding="utf-8")
    REPORT.write_text(marked.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=int, default=len(SHAPES), metavar="N", help="the smallest N shapes (6)")
    parser.add_argument("--again", type=int, default=1, metavar="N", help="settings that are run twice (1)")
    parser.add_argument("--tables", action="store_true", help="run nothing: tables of what is there")
    parser.add_argument("--write", action="store_true", help="also into docs/verification.md")
    build = ROOT / "build" / "accuracy"
    parser.add_argument("--results", type=Path, default=RECORDS, metavar="FILE")
    parser.add_argument("--models", type=Path, default=build / "models", metavar="FOLDER")
    parser.add_argument("--disk", type=float, default=8, metavar="GIB", help="most that fabricated models take (8)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
