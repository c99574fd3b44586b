"""Whatever bytes stand in a machine's files, a fact says something or nothing and never crashes."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import names, write_tree

from memfit.device.boards import find_board, part_numbers
from memfit.device.boot import parse_root
from memfit.device.compatibility import engines_on, jetpack_of
from memfit.device.facts import FACTS
from memfit.device.facts.containers import parse_default_runtime
from memfit.device.identity import parse_boot_control
from memfit.device.mounts import parse_mounts
from memfit.device.nvmap import parse_clients, parse_free, parse_total
from memfit.device.nvpmodel import parse_modes, parse_status
from memfit.device.packages import parse_cuda, parse_packages, upstream
from memfit.device.reading import integer
from memfit.device.release import parse_tegra_release
from memfit.device.swaps import parse_memory_stat, parse_swaps
from memfit.device.tegrastats import parse_line
from memfit.device.tegrastats_log import parse_log
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import Disk
from memfit.host.records import Door

SEED = 20_260_401
SHARED = Path(__file__).parents[3] / "shared/data/devices"

PARSERS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "tegrastats": (
        parse_line,
        (
            "04-19-2026 01:31:10 RAM 519/7607MB (lfb 61x4MB) SWAP 25/3810MB (cached 1MB) CPU [0%@1728,off] EMC_FREQ "
            "31%@3199 GR3D_FREQ 12%@[1018,306] NVDEC off APE 200 cpu@48.906C VDD_IN 5971mW/6011mW",
            "RAM 1/2MB (lfb 1x4MB) IRAM 0/252kB(lfb 252kB) cpu [17%,13%]@408 MTS fg 0% bg 3% POM_5V_IN 2545/2547",
        ),
    ),
    "log": (
        lambda text: parse_log(text.splitlines(), most_points=4),
        ("01-01-2026 10:00:00 RAM 1/9MB\nRAM 2/9MB x@1C",),
    ),
    "clients": (parse_clients, ("user   Web Content: tab   4481     118372K\ntotal   118884K\n",)),
    "client total": (parse_total, ("total                  118884K\n",)),
    "free size": (parse_free, ("Max allocatable IOVMM memory: 6135873536 bytes\n",)),
    "packages": (
        lambda text: parse_packages(text.encode("utf-8", "surrogateescape"), [r"a\d*", "b"]),
        ("Package: a1\nStatus: install ok installed\nVersion: 1:2.3-4\n\nPackage: b\n",),
    ),
    "cuda": (parse_cuda, ('{"cuda_cudart": {"name": "x", "version": "12.6.68"}, "cuda": {"version": "1.2"}}',)),
    "upstream": (upstream, ("1:2.3-4+x~y",)),
    "tegra release": (parse_tegra_release, ("# R36 (release), REVISION: 4.7, GCID: 42132812, BOARD: generic",)),
    "jetpack": (jetpack_of, ("36.4.7-20250918154033", "R36.4")),
    "engines": (lambda text: engines_on(text, text), ("36.4.7", "8.7")),
    "modes": (parse_modes, ("<PARAM TYPE=FILE NAME=X >\n< POWER_MODEL ID=1 NAME=25W >\n< PM_CONFIG DEFAULT=1 >\n",)),
    "mode": (parse_status, ("pmode:0002 fmode:quiet",)),
    "root": (parse_root, ("quiet root=PARTUUID=1-2 rw rootwait root=/dev/nvme0n1p1",)),
    "mounts": (parse_mounts, ("/dev/nvme0n1p1 / ext4 rw 0 0\n/dev/sda1 /my\\040disk vfat rw 0 0\n",)),
    "swaps": (parse_swaps, ("Filename Type Size Used Priority\n/dev/zram0 partition 650224 48874 5\n",)),
    "zram": (parse_memory_stat, ("50046976 14899200 15892480 0 15892480 12 0 4 4",)),
    "boot control": (parse_boot_control, ("TNSPEC 3767-300-0005-S.1-1-1-x-\nCOMPATIBLE_SPEC 3767--0005--1--x-\n",)),
    "board": (
        lambda text: (find_board(text.split("\0"), text), part_numbers([text])),
        ("nvidia,p3768-0000+p3767-0005-super\0nvidia,p3767-0005\0nvidia,tegra234\0", "3701-500-0000-N.1"),
    ),
    "runtime": (parse_default_runtime, ('// x\n{"default-runtime": "nvidia"}',)),
    "integer": (integer, ("-17 mV", "99999999999999999999")),
}
WILD = string.printable + "\0\x7f\x85\u2028٣½é\udcff"


class WildHost:
    """A machine on which every path exists, some of it shut, and holds anything."""

    door: Door = "recorded"
    live = True

    def __init__(self, chance: random.Random, words: list[bytes]) -> None:
        self.name = "wild"
        self._chance = chance
        self._words = words

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        self._perhaps_refuse(path)
        return self._chance.choice(self._words)[:most]

    def list_dir(self, path: str) -> tuple[str, ...]:
        self._perhaps_refuse(path)
        return tuple(self._chance.choice(("dm-0", "nvme0n1", "5.15.148-tegra", "é", "x" * 300)) for _ in range(3))

    def read_link(self, path: str) -> str:
        self._perhaps_refuse(path)
        return self._chance.choice(self._words).decode("utf-8", "replace")

    def glob(self, pattern: str) -> tuple[str, ...]:
        fills = ("0", "x", "policy" * 9, "é", "")
        return tuple(pattern.replace("*", self._chance.choice(fills)) for _ in range(self._chance.randrange(4)))

    def disk(self, path: str) -> Disk:
        self._perhaps_refuse(path)
        return Disk(total_bytes=self._chance.randrange(1 << 50), free_bytes=self._chance.randrange(1 << 50))

    def _perhaps_refuse(self, path: str) -> None:
        if (dice := self._chance.random()) < 0.2:
            raise (NeedsRoot if dice < 0.05 else ProbeError)(f"{path}: no")


def mutated(text: str, chance: random.Random) -> str:
    """A real text with pieces cut out, doubled, swapped or overwritten."""
    letters = list(text)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(letters) + 1)
        end = min(len(letters), at + chance.randrange(1, 12))
        match chance.randrange(4):
            case 0:
                del letters[at:end]
            case 1:
                letters[at:at] = letters[at:end] * chance.randrange(1, 40)
            case 2:
                letters[at:at] = [chance.choice(WILD) for _ in range(chance.randrange(1, 9))]
            case _:
                letters[at:end] = [chance.choice("0123456789 \n%@/,:<>\"'")] * (end - at)
        if not letters:
            letters = [chance.choice(WILD)]
    return "".join(letters)


def words(chance: random.Random) -> list[bytes]:
    texts = [sample for _, samples in PARSERS.values() for sample in samples]
    return [mutated(text, chance).encode("utf-8", "surrogateescape") for text in texts] + [b"", b"\0", b"\xff" * 99]


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_parser_of_any_text(name: str, data: st.DataObject) -> None:
    parse, samples = PARSERS[name]
    parse(
        data.draw(st.text() | st.sampled_from(samples).map(lambda text: text * 2) | st.text("0123456789 %@/MBkCx\n<>="))
    )


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_of_damaged_text(name: str) -> None:
    chance = random.Random(SEED)
    parse, samples = PARSERS[name]
    for _ in range(200):
        parse(mutated(chance.choice(samples), chance))


@pytest.mark.parametrize("key", FACTS.keys())
def test_a_fact_of_a_wild_machine(key: str) -> None:
    chance = random.Random(SEED)
    for _ in range(40):
        FACTS.get(key).read(WildHost(chance, words(chance)))


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r\n", "0", "9", "<", "/", "[", "(", '"', "\\040", "p3767-0005"])
def test_no_parser_takes_long_over_much_of_the_same(blank: str) -> None:
    """A pattern that looks again and again over the same blanks would take hours."""
    text = blank * ((1 << 18) // len(blank))
    for parse, _ in PARSERS.values():
        parse(text)
        parse(f"total user x{text}1K")


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_soak_a_parser(name: str) -> None:
    """10^5 damaged texts each."""
    chance = random.Random(SEED + 1)
    parse, samples = PARSERS[name]
    for _ in range(100_000):
        parse(mutated(chance.choice(samples), chance))


@pytest.mark.slow
def test_soak_lines_of_real_logs() -> None:
    logs = sorted((SHARED / "tegrastats").glob("*")) if SHARED.is_dir() else []
    lines = [line for log in logs for line in log.read_text().splitlines()]
    if not lines:
        pytest.skip("the device logs are not beside this checkout")
    chance = random.Random(SEED + 2)
    for _ in range(100_000):
        parse_line(mutated(chance.choice(lines), chance))


@pytest.mark.slow
@pytest.mark.parametrize("key", FACTS.keys())
def test_soak_a_fact(key: str) -> None:
    chance = random.Random(SEED + 3)
    held = words(chance)
    for number in range(2_000):
        if number % 50 == 0:
            held = words(chance)
        FACTS.get(key).read(WildHost(chance, held))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_soak_damaged_trees(name: str, tmp_path: Path) -> None:
    """A tree of which file after file is damaged: every fact is read after each."""
    host = write_tree(name, tmp_path)
    chance = random.Random(SEED + 4)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink())
    for path in chance.sample(files, min(300, len(files))):
        path.write_bytes(
            mutated(path.read_bytes().decode("latin-1"), chance).encode("utf-8", "surrogateescape")[: 1 << 16]
        )
        for key in FACTS.keys():  # noqa: SIM118  the catalog iterates over its facts
            FACTS.get(key).read(host)
