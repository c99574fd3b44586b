"""What services of an image would start, as far as their files say: which of them a boot starts, and with which words.

A running machine is asked for its processes instead: a script that a unit starts says nothing of what it runs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from memfit.device.processes import serves_model
from memfit.device.reading import read_text
from memfit.host import Host
from memfit.knob._drop_ins import drop_ins_of
from memfit.knob._units import FOLDERS, SYSTEM, read_link

_WANTED = tuple(f"{folder}/*.{how}" for folder in FOLDERS for how in ("wants", "requires", "upholds"))
_START = re.compile(r"^[ \t]*ExecStart[ \t]*=(.*)$", re.MULTILINE)
_PREFIXES = "@-:+!|"
"""Of a command (systemd.service(5), command lines)."""
_SHELLS = ("sh", "bash", "dash")
_PARTS = re.compile(r"&&|\|\||[;&|\n]")
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_MOST_BYTES = 1 << 16
_MASKED = (SYSTEM, "/run/systemd/system")


def started_services(host: Host) -> tuple[str, ...]:
    """Services that something pulls in at a boot and nobody masked, instances with their own names."""
    links = [path for pattern in _WANTED for path in host.glob(f"{pattern}/*.service")]
    names = sorted({path.rpartition("/")[2] for path in links})
    return tuple(name for name in names if not is_masked(host, name))


def is_masked(host: Host, unit: str) -> bool:
    """Whether a link keeps a unit, or the template that it is an instance of, from ever being started."""
    return any(read_link(host, f"{folder}/{name}") == "/dev/null" for folder in _MASKED for name in _names(unit))


def starts_a_model(host: Host, unit: str, found: Mapping[str, Sequence[str]]) -> bool:
    """Whether one of a service's commands, ``drop_ins`` counted, is that of a program which serves models."""
    return any(serves_model(words) for command in _commands(host, unit, found) for words in _programs(command))


def _commands(host: Host, unit: str, drop_ins: Mapping[str, Sequence[str]]) -> list[str]:
    """Values of ``ExecStart=`` that count; an empty one takes back those before it."""
    found: list[str] = []
    for text in texts(host, unit, drop_ins):
        for value in _START.findall(text.replace("\\\n", " ")):
            found = [*found, value.strip()] if value.strip() else []
    return found


def own_text(host: Host, unit: str) -> str | None:
    """The unit's own file; None where it cannot be read."""
    paths = (f"{folder}/{name}" for name in _names(unit) for folder in FOLDERS)
    return next((text for path in paths if (text := read_text(host, path, most=_MOST_BYTES)) is not None), None)


def texts(host: Host, unit: str, found: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The unit's own file, and its drop-ins (``drop_ins``), in the order in which they are read."""
    yield own_text(host, unit) or ""
    for path in drop_ins_of(found, unit):
        yield read_text(host, path, most=_MOST_BYTES) or ""


def _names(unit: str) -> tuple[str, ...]:
    """A unit's own name and that of its template."""
    stem, at, _ = unit.partition("@")
    return (unit, f"{stem}@.service") if at else (unit,)


def _programs(command: str) -> Iterator[tuple[str, ...]]:
    """Words of each program of a command; of a shell's, those of its line."""
    words = _split(command.lstrip(_PREFIXES))
    if words and words[0].rpartition("/")[2] == "env":
        words = words[1:]
    while words and _ASSIGNMENT.fullmatch(words[0]):
        words = words[1:]
    if not words or words[0].rpartition("/")[2] not in _SHELLS:
        yield words
        return
    for line in words[1:]:
        for part in _PARTS.split(line):
            inner = _split(part)
            yield inner[1:] if inner[:1] == ("exec",) else inner


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:  # a quote that nobody closed
        return tuple(text.split())
