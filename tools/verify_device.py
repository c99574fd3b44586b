"""For the owner of a board: predict and run models of several sizes here, and write one record to share.

    make verify-device          # or: python tools/verify_device.py

Runs the shipped model and fabricated ones as large as the memory allows, on the CPU and, where llama.cpp was built for
it, on the GPU. Nothing is downloaded. The record holds figures, versions and the names of board and processor; no host
name, no serial, no path. Needs memfit[llama]; takes 10 to 30 minutes and a few GiB of disk.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from memfit import __version__
from memfit.device import Device, find_device
from memfit.engine.records import Backend, Deployment, Options, Workload
from memfit.errors import EngineFailed, EngineMissing, MemfitError
from memfit.measure.records import Machine, Verification
from memfit.measure.verify import verify
from memfit.model import find_model
from memfit.model.cards import CARDS
from memfit.units import GIB, MIB
from soaking.files import Files
from soaking.shareable import shareable

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
SIZES = (("smollm2_135m", "Q8_0"), ("qwen2_5_0_5b", "Q8_0"), ("llama_3_2_1b", "Q4_K_M"), ("llama_3_2_3b", "Q4_K_M"))
_WORK = Workload(generate_tokens=32)
# with and without rearranged weights and a mapped file: what differs most between processors
_OPTIONS = {
    "as it comes": Options(),
    "read into memory": Options(load_mode="none"),
    "mapped, not rearranged": Options(repack=False),
}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be run, and why."""

    model: str
    setting: str
    backend: str
    why: str


class DeviceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was run on one device."""

    machine: Machine
    device: Device
    memfit_version: str
    verifications: tuple[Verification, ...]
    failures: tuple[Failure, ...]
    schema_version: int = 1


def main() -> None:
    """Run what fits, write the record, print a line for each run."""
    given = _arguments()
    files = Files(given.models, int(given.disk * GIB))
    here = find_device()
    found: list[Verification] = []
    failures: list[Failure] = []
    for backend in _backends():
        for name, path in _models(files, here, given.largest, failures):
            for setting, options in _OPTIONS.items():
                if backend == "cuda" and not options.repack:
                    continue  # a GPU has nothing rearranged
                options = msgspec.structs.replace(options, backend=backend)
                try:
                    one = _verified(path, options)
                except MemfitError as failure:
                    failures.append(Failure(model=name, setting=setting, backend=backend, why=_plain(failure, path)))
                    _say(f"{name}, {setting}, {backend}: {failures[-1].why}")
                    continue
                found.append(shareable(one, path))
                _say(_line(name, setting, one))
    if not found:
        raise SystemExit("nothing could be run; see above")
    machine = found[0].observation.machine
    record = DeviceRecord(
        machine=machine,
        device=here,
        memfit_version=__version__,
        verifications=tuple(found),
        failures=tuple(failures),
    )
    out = given.out or ROOT / "build" / f"verified-{machine.key}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
    _say(f"\nthe record: {out}\nplease share it: it is how the figures of a board become measured ones")


def _backends() -> tuple[Backend, ...]:
    """The CPU, and CUDA where the engine was built for it: found out by asking for the shipped model there."""
    options = Options(backend="cuda", context_tokens=512)
    try:
        verify(Deployment(model=str(SHIPPED), options=options), workload=Workload(generate_tokens=1), learn=False)
    except (EngineMissing, EngineFailed):
        return ("cpu",)
    return ("cpu", "cuda")


def _models(files: Files, here: Device, largest: str | None, failures: list[Failure]) -> list[tuple[str, Path]]:
    """The shipped model and the sizes that memory and disk allow."""
    models = [("memfit-tiny F16", SHIPPED)]
    for card, preset in SIZES:
        name = f"{CARDS.get(card).name} {preset}"
        shape = find_model(CARDS.get(card).name, format=preset)
        # mapped and rearranged a model takes up to twice its weights
        if 2 * shape.weights_bytes + GIB > here.capacity_bytes:
            failures.append(Failure(model=name, setting="all", backend="cpu", why="more than this device's memory"))
            continue
        try:
            models.append((name, files.get(card, preset, shape.weights_bytes)))
        except MemfitError as failure:
            failures.append(Failure(model=name, setting="all", backend="cpu", why=failure.message))
        if card == largest:
            break
    return models


def _verified(path: Path, options: Options) -> Verification:
    """Predicted without what this machine has taught: that is what the record is to show."""
    return verify(Deployment(model=str(path), options=options), workload=_WORK, calibration=None, learn=False)


def _plain(failure: MemfitError, path: Path) -> str:
    return failure.message.replace(str(path), path.name)


def _line(name: str, setting: str, one: Verification) -> str:
    return (
        f"{name}, {setting}, {one.observation.engine.backend}: {one.compared_bytes / MIB:.1f} MiB predicted,"
        f" {one.observed.compared_bytes / MIB:.1f} observed, {one.residual_ratio:+.2%}, {one.verdict}"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the record (build/verified-<machine>.json)")
    parser.add_argument("--largest", choices=[card for card, _ in SIZES], help="the largest model to run")
    parser.add_argument("--disk", type=float, default=4, metavar="GIB", help="most that fabricated models take (4)")
    parser.add_argument("--models", type=Path, default=ROOT / "build" / "device-models", metavar="FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    main()
