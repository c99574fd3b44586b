"""Damaged streams, recordings, tables and texts: an answer or a clear refusal, never a crash."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import subprocess
import sys

import pytest

from memfit.errors import ProbeError
from memfit.host import Manifest
from memfit.host._dmi import without_serials
from memfit.host._program import PYTHON_OPTIONS, program
from memfit.host._stream import Nonsense, Stream
from memfit.host.record import write_recording
from memfit.host.recorded import RecordedHost
from memfit.host.redact import redacted
from memfit.host.snapshot import Snapshot

MANIFEST = Manifest(paths=("/etc/os-release", "/proc/self/mounts", "/sys/block", "/no", "/etc/mtab", "/dev/null"))


@pytest.fixture(scope="module")
def said() -> tuple[bytes, str]:
    """What the collector says here, and its mark."""
    text, marker = program(MANIFEST)
    command = [sys.executable, *PYTHON_OPTIONS]
    return subprocess.run(command, input=text, capture_output=True, check=True).stdout, marker


@pytest.fixture(scope="module")
def packed(said: tuple[bytes, str], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same as a recording, not compressed."""
    stream = Stream(said[1], MANIFEST)
    stream.feed(said[0])
    path = tmp_path_factory.mktemp("fuzz") / "r.tar.gz"
    write_recording(stream.snapshot(), path)
    return gzip.decompress(path.read_bytes())


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, and sometimes a part lost, doubled or moved."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    if chance.random() < 0.3:
        start, end = sorted(chance.randrange(len(changed)) for _ in range(2))
        part = changed[start:end]
        del changed[start:end]
        if chance.random() < 0.5:
            at = chance.randrange(len(changed) + 1)
            changed[at:at] = part * chance.randint(1, 2)
    return bytes(changed)


def feed_streams(said: tuple[bytes, str], times: int) -> None:
    chance = random.Random(times)
    for _ in range(times):
        stream = Stream(said[1], MANIFEST)
        with contextlib.suppress(Nonsense):
            stream.feed(damaged(said[0], chance))
            if stream.finished:
                stream.snapshot()


def open_recordings(packed: bytes, times: int) -> None:
    chance = random.Random(times)
    for _ in range(times):
        content = gzip.compress(damaged(packed, chance), 0)
        with contextlib.suppress(ProbeError):
            RecordedHost(io.BytesIO(content if chance.random() < 0.8 else damaged(content, chance)))


def redact_texts(times: int) -> None:
    chance = random.Random(times)
    parts = [
        b"10.1.2.3",
        b"fe80::1",
        b"::",
        b"aa:bb:cc:dd:ee:ff",
        b"/home/",
        b"token",
        b"=",
        b":",
        b"\0",
        b" ",
        b"@",
        b"\n",
    ]
    parts += [
        b"serial",
        b"Jan  2 03:04:05 ",
        b"kernel",
        b"--key",
        b"'",
        b'"',
        b"\xe9",
        b"-",
        b".",
        b"0" * 32,
        b"eyJ",
        b"UUID=",
    ]
    paths = (
        "/etc/hosts",
        "/var/log/syslog",
        "/proc/1/cmdline",
        "/etc/machine-id",
        "/etc/hostname",
        "/etc/passwd",
        "/x",
    )
    for _ in range(times):
        text = b"".join(chance.choices(parts, k=chance.randint(0, 40)))
        redacted(Snapshot(name=chance.choice(("", "edge", "\udce9x")), taken="", files={chance.choice(paths): text}))
        table = chance.randbytes(chance.randint(0, 60))
        assert len(without_serials(table)) == len(table)


def test_damaged_streams(said: tuple[bytes, str]) -> None:
    feed_streams(said, 2_000)


def test_damaged_recordings(packed: bytes) -> None:
    open_recordings(packed, 500)


def test_wild_texts() -> None:
    redact_texts(1_000)


@pytest.mark.slow
def test_a_hundred_thousand_damaged_streams(said: tuple[bytes, str]) -> None:
    feed_streams(said, 100_000)


@pytest.mark.slow
def test_a_hundred_thousand_damaged_recordings(packed: bytes) -> None:
    open_recordings(packed, 100_000)


@pytest.mark.slow
def test_a_hundred_thousand_wild_texts() -> None:
    redact_texts(100_000)
