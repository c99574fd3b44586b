"""What somebody made of a tree since memfit patched it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from memfit.agent.failure import Failure
from memfit.agent.journal import Entry
from memfit.agent.steps import content_of
from memfit.agent.transaction import Transactions
from memfit.bsp._difference import blob_drift, difference, digest
from memfit.bsp.records import FileEdit


def changed(
    root: Path, transactions: Transactions, applied: Sequence[Entry]
) -> tuple[tuple[FileEdit, ...], tuple[str, ...]]:
    """Every file that a patch changed, from before the first to now; and those that are not as the last left them."""
    first: dict[str, bytes] = {}
    last: dict[str, tuple[str, str]] = {}
    for entry in applied:
        for step in transactions.journal.plan(entry)["steps"]:
            path = step["path"]
            if path not in first:
                first[path] = transactions.journal.before(entry, step["number"], step["before"]["sha256"])
            last[path] = (entry.id, step["after"]["sha256"])
    files, drift = [], []
    for path, before in first.items():
        file, (id, sha256) = path.lstrip("/"), last[path]
        if not (root / file).is_file():  # a pipe would never end
            there = (root / file).exists()
            drift.append(f"{file}: it is {'no file any more' if there else 'gone'} since {id}")
            continue
        try:
            now = (root / file).read_bytes()
        except OSError as error:
            drift.append(f"{file}: it cannot be read since {id}: {error.strerror}")
            continue
        if digest(now) != sha256:
            drift.append(f"{file}: somebody changed it since {id}")
        files.append(
            FileEdit(
                path=file, text=difference(file, before, now), sha256_before=digest(before), sha256_after=digest(now)
            )
        )
    return tuple(files), tuple(drift)


def told_of_blobs(failure: Failure, root: Path, transactions: Transactions) -> Failure:
    """The same, where it shows the bytes of a device tree blob as text with its properties instead."""
    entry = next((one for one in transactions.journal.entries() if one.path == failure.journal), None)
    if failure.kind != "drift" or not failure.diff or entry is None:
        return failure
    for step in transactions.journal.plan(entry)["steps"]:
        path = step["path"]
        file = root / path.lstrip("/")
        if path.endswith(".dtb") and failure.message.startswith(f"{path}: ") and file.is_file():
            with suppress(OSError):  # the agent says so
                now = file.read_bytes()
                if now != content_of(step):
                    failure.diff = blob_drift(path.lstrip("/"), content_of(step), now)
    return failure
