"""Which machine is changed, and how its agent is asked: in this process, over SSH, or on an image."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from memfit.agent.main import answer
from memfit.apply._sources import program
from memfit.errors import ApplyError, Drift, MemfitError, NeedsRoot, ProbeError, UndoFailed
from memfit.host._complaint import before_start, half_way, old_python
from memfit.host._program import OLDEST_PYTHON
from memfit.host._talk import talk
from memfit.host._target import Target, parse_target
from memfit.host.ssh import python_over_ssh

# stopping a service may take its 90 s, and there may be twenty; nothing is said meanwhile
_FIRST_S, _QUIET_S, _TOTAL_S = 30.0, 900.0, 1800.0
_MOST_BYTES = 64 << 20


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A machine to change: this one where nothing is named.

    Attributes:
        host: for ssh.
        root: the top of an image that does not run, or of a mounted disk; on ``host`` where that is given.
        sudo: over ssh, as root where sudo needs no password.
        client: the ssh program and options of one's own.
    """

    host: str | None = None
    root: str | None = None
    sudo: bool = False
    client: tuple[str, ...] = ("ssh",)

    @property
    def called(self) -> str:
        """What to call it where nothing was read of it."""
        return self.host or self.root or os.uname().nodename

    @property
    def options(self) -> tuple[str, ...]:
        """What names it on a command line."""
        named = (*(("--host", self.host) if self.host else ()), *(("--root", self.root) if self.root else ()))
        return (*named, "--sudo") if self.sudo else named

    @property
    def is_far(self) -> bool:
        """Whether a connection is all that leads there."""
        return self.host is not None


def ask(place: Place, request: dict[str, Any]) -> dict[str, Any]:
    """The agent's answer to a request (``memfit.agent.main``).

    Raises:
        NeedsRoot: it may not change anything there.
        Drift, UndoFailed, ApplyError: as the agent says.
        ProbeError: the machine cannot be reached.
    """
    whole = {**request, "root": place.root or "/"}
    if place.host is None:
        said = answer(whole)
    else:
        said = _over_ssh(parse_target(place.host), whole, sudo=place.sudo, client=place.client)
    if "failure" in said:
        raise failure_of(said["failure"], far=place.is_far)
    found: dict[str, Any] = said["ok"]
    return found


def failure_of(told: dict[str, Any], *, far: bool) -> MemfitError:
    """What the agent's refusal is called here."""
    message, hint, journal = told["message"], told.get("hint") or None, told.get("journal", "")
    if told["kind"] == "root":
        return NeedsRoot(message, hint="run again with --sudo" if far else "run again with sudo")
    if told["kind"] == "drift":
        if told.get("diff"):
            way = "memfit undo --keep-theirs leaves it as it is and takes back the rest"
            hint = f"{hint}; {way}" if hint else way
        return Drift(message, hint=hint, journal=journal, diff=told.get("diff", ""))
    if told["kind"] == "undo":
        return UndoFailed(message, hint=hint, journal=journal)
    return ApplyError(message, hint=hint, journal=journal)


def _over_ssh(target: Target, request: dict[str, Any], *, sudo: bool, client: Sequence[str]) -> dict[str, Any]:
    marker = f"memfit-{secrets.token_hex(8)}"
    heard = bytearray()

    def take(piece: bytes) -> bool:
        heard.extend(piece)
        if len(heard) > _MOST_BYTES:
            raise ProbeError(f"{target}: it answers without end")
        return _line(heard, marker) is not None

    try:
        ended = talk(
            python_over_ssh(target, sudo=sudo, client=client),
            program(request, marker),
            take,
            first_s=_FIRST_S + _QUIET_S,
            quiet_s=_QUIET_S,
            total_s=_TOTAL_S,
        )
    except FileNotFoundError as error:
        raise ProbeError(f"there is no {client[0]} here", hint="apt install openssh-client") from error
    line = _line(heard, marker)
    if line is None:
        if marker.encode() in heard:
            raise half_way(target, ended.code, ended.complaint, "the agent")
        raise before_start(target, ended.code, ended.complaint, bytes(heard[-2000:]))
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        version = line.decode("ascii", "replace").strip()
        raise old_python(target, version, OLDEST_PYTHON) from None
    return found


def _line(heard: bytearray, marker: str) -> bytes | None:
    """What stands behind the marker, once its line has come whole."""
    _, found, rest = bytes(heard).partition(marker.encode() + b" ")
    line, end, _ = rest.partition(b"\n")
    return line if found and end else None
