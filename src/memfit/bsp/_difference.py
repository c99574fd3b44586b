"""What differs between two contents of a file of a tree, for people: lines, or properties of a device tree blob."""

from __future__ import annotations

import difflib
import hashlib

from memfit.bsp._tools import decompile
from memfit.bsp.fdt import read_blob, strings
from memfit.bsp.merged import differences
from memfit.errors import ProbeError

_MOST_LINES = 60


def digest(content: bytes) -> str:
    """The SHA-256 of a content."""
    return hashlib.sha256(content).hexdigest()


def difference(file: str, before: bytes, after: bytes) -> str:
    """A unified difference; of a blob the properties that differ, of one that cannot be read its size and SHA-256."""
    if before == after:
        return ""
    if not file.endswith(".dtb"):
        return _lines(_text(before), _text(after), file, file)
    try:
        return _properties(file, before, after) or _sizes(file, file, before, after)
    except ProbeError:
        return _sizes(file, file, before, after)


def blob_drift(file: str, applied: bytes, now: bytes) -> str:
    """From the blob that a patch wrote to what somebody made of it, as dtc decompiles them."""
    was, there = f"{file} (applied)", f"{file} (now)"
    try:
        one, other = (decompile(content, file).splitlines() for content in (applied, now))
    except ProbeError as error:  # no dtc here, or it is no blob any more
        return f"{_sizes(was, there, applied, now)}\n({error.message})"
    lines = _lines(one, other, was, there).splitlines()
    more = [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join((*lines[:_MOST_LINES], *more)) or _sizes(was, there, applied, now)


def _text(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def _lines(one: list[str], other: list[str], was: str, there: str) -> str:
    return "\n".join(difflib.unified_diff(one, other, was, there, lineterm=""))


def _properties(file: str, before: bytes, after: bytes) -> str:
    one, other = read_blob(before, file), read_blob(after, file)
    lines = [f"--- {file}", f"+++ {file}"]
    for path in differences(one, other):
        lines.append(f"@@ {path} @@")
        sides = (one.at(path), other.at(path))
        values = [{} if side is None else side.properties for side in sides]
        for name in sorted({*values[0], *values[1]}):
            for sign, value in zip("-+", values, strict=True):
                if values[0].get(name) != values[1].get(name) and name in value:
                    lines.append(f"{sign}{name} = {' '.join(strings(value[name])) or value[name].hex()}")
    return "\n".join(lines) if len(lines) > 2 else ""


def _sizes(was: str, there: str, before: bytes, after: bytes) -> str:
    sides = zip("-+", (before, after), strict=True)
    told = [f"{sign}{len(content):,} bytes, sha256 {digest(content)}" for sign, content in sides]
    return "\n".join([f"--- {was}", f"+++ {there}", *told])
