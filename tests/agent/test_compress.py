"""Weights as compressed swap would hold them: held against the kernel's own where it has zram and lets us."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest

from memfit.agent import compress
from memfit.agent.compress import PAGE_BYTES, classes, taken_bytes
from memfit.agent.main import answer
from memfit.agent.tree import Tree
from memfit.model import read_shape

TINY = Path(__file__).parents[2] / "models/memfit-tiny/memfit-tiny-F16.gguf"
CONTROL = Path("/sys/class/zram-control")
needs_lz4 = pytest.mark.skipif("lz4" not in compress._packers(), reason="no liblz4 here")


def measured(path: Path) -> dict[str, object]:
    told = answer({"action": "compress", "path": str(path)})
    assert "ok" in told, told
    found: dict[str, object] = told["ok"]
    return found


def mixed(pages: int) -> bytes:
    """Pages of which some part is noise and the rest one byte, and some are all one word."""
    chance = random.Random(7)
    found = bytearray()
    for _ in range(pages):
        noise = chance.choice((0, chance.randrange(PAGE_BYTES + 1)))
        found += chance.randbytes(noise) + b"\7" * (PAGE_BYTES - noise)
    return bytes(found)


def test_classes_are_those_of_the_kernel() -> None:
    """As ``/sys/kernel/debug/zsmalloc`` shows them with 4 pages and with 8."""
    four, eight = classes(4), classes(8)
    assert [one.size_bytes for one in four[-4:]] == [2720, 3072, 3264, 4096]
    assert [one.size_bytes for one in eight[-4:]] == [3504, 3584, 3632, 4096]
    assert four[-2] == (3264, 4, 5)
    assert eight[-2] == (3632, 8, 9)
    assert all(one.pieces * one.size_bytes <= one.pages * PAGE_BYTES for one in (*four, *eight))


def test_what_packs_badly_is_kept_whole_and_one_word_takes_nothing() -> None:
    assert taken_bytes([None] * 9, 8) == 0
    assert taken_bytes([3256], 4) == round(4 * PAGE_BYTES / 5)
    assert taken_bytes([3257], 4) == PAGE_BYTES
    assert taken_bytes([3257], 8) < PAGE_BYTES
    assert taken_bytes([3625, 4200], 8) == 2 * PAGE_BYTES
    assert taken_bytes([2000], 8, alone=True) == PAGE_BYTES
    assert taken_bytes([2000], 8) == PAGE_BYTES // 2


@needs_lz4
def test_weights_in_halves_do_not_shrink_and_zeros_take_nothing(tmp_path: Path) -> None:
    found = measured(TINY)
    assert found["pages"] == 1024
    assert found["stored_bytes"]["lz4"] == 1024 * PAGE_BYTES  # type: ignore[index]
    empty = tmp_path / "empty.bin"
    empty.write_bytes(bytes(8 * PAGE_BYTES))
    assert measured(empty)["stored_bytes"]["lz4"] == 0  # type: ignore[index]


def test_the_header_is_no_part_of_the_weights() -> None:
    begin, end = compress._span(str(TINY))
    tensors = read_shape(TINY).tensors
    assert 0 <= begin - (end - sum(tensor.bytes for tensor in tensors)) < PAGE_BYTES + 32 * len(tensors)


@needs_lz4
def test_a_link_of_an_image_leads_to_no_file_of_this_machine(tmp_path: Path) -> None:
    outside = tmp_path / "outside.bin"
    outside.write_bytes(mixed(10))
    root = tmp_path / "root"
    root.mkdir()
    (root / "model.bin").symlink_to(outside)
    told = answer({"action": "compress", "root": str(root), "path": "/model.bin"})
    assert told["failure"]["message"].endswith("model.bin: it is a link that leads nowhere")
    inside = root / str(outside).lstrip("/")
    inside.parent.mkdir(parents=True)
    inside.write_bytes(mixed(5))
    assert answer({"action": "compress", "root": str(root), "path": "/model.bin"})["ok"]["pages"] == 5


def test_folders_and_safetensors(tmp_path: Path) -> None:
    head = b'{"a":{}}'.ljust(9000)
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + mixed(30))
    (tmp_path / "b.bin").write_bytes(mixed(10))
    (tmp_path / "README.md").write_bytes(bytes(1 << 20))
    assert compress._span(str(tmp_path / "a.safetensors"))[0] == 3 * PAGE_BYTES
    found = measured(tmp_path)
    assert found["pages"] == 39  # one of them shares its page with the header
    inside = compress.measure(Tree(str(tmp_path)), "/b.bin")
    assert (inside["file"], inside["pages"]) == ("/b.bin", 10)


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 16, b"GGUF\x09\0\0\0" + bytes(16), b"GGUF" + bytes(9000)]
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(content)
    told = answer({"action": "compress", "path": str(file)})
    assert told["failure"]["kind"] == "refused"
    assert "failure" in answer({"action": "compress", "path": str(tmp_path / "none")})
    assert "failure" in answer({"action": "compress", "path": "/dev/zero"})
    (tmp_path / "empty").mkdir()
    assert "no weights" in answer({"action": "compress", "path": str(tmp_path / "empty")})["failure"]["message"]


@needs_lz4
@pytest.mark.skipif(os.geteuid() != 0 or not CONTROL.exists(), reason="needs root and a kernel with zram")
@pytest.mark.parametrize("content", [mixed(700), TINY.read_bytes()[-(1 << 20) :]], ids=["mixed", "halves"])
def test_the_kernel_takes_what_was_said(content: bytes) -> None:
    pages = [content[at : at + PAGE_BYTES] for at in range(0, len(content), PAGE_BYTES)]
    number = (CONTROL / "hot_add").read_text().strip()
    folder = Path(f"/sys/block/zram{number}")
    try:
        try:
            (folder / "comp_algorithm").write_text("lz4")
        except OSError:
            pytest.skip("this kernel's zram has no lz4")
        (folder / "disksize").write_text(str(len(content)))
        with Path(f"/dev/zram{number}").open("r+b", buffering=0) as device:
            device.write(content)
            os.fsync(device.fileno())
        original, packed, taken = map(int, (folder / "mm_stat").read_text().split()[:3])
    finally:
        (folder / "reset").write_text("1")
        (CONTROL / "hot_remove").write_text(number)
    pack = compress._packers()["lz4"]
    sizes = [pack(page) for page in pages]
    chain = 8 if compress._kernel() >= compress._LONG_CHAINS else 4
    assert original == len(content)
    assert taken_bytes(sizes, chain, alone=True) == pytest.approx(taken, rel=0.02)
    assert packed <= taken


@needs_lz4
def test_a_pipe_is_never_opened_and_a_link_leads_where_the_image_has_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bin")
    assert "no file" in str(answer({"action": "compress", "path": str(tmp_path / "pipe.bin")}))
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "data/real.bin").write_bytes(mixed(8))
    (root / "models/a.bin").symlink_to("/data/real.bin")
    told = answer({"action": "compress", "path": "/models", "root": str(root)})
    assert told["ok"]["pages"] == 8
