"""The other end of a transfer that is a folder of a machine which ssh reaches: shell and coreutils are enough there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from memfit.errors import ProbeError
from memfit.host._complaint import before_start
from memfit.host._drive import PIECE, Progress
from memfit.host._target import Target

_OPTIONS = (
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "RemoteCommand=none"),
    *("-o", "LogLevel=ERROR"),
)
_LOOK = """mkdir -p -- "$1" && cd -- "$1" || exit 73
for f in "$2" "$2.part"; do if [ -f "$f" ]; then wc -c < "$f"; else echo -; fi; done
df -Pk . | awk 'NR == 2 { print $4 }'"""
_SUM = 'cd -- "$1" && head -c "$3" -- "$2" | sha256sum'
_TAKE = 'cd -- "$1" && if [ "$3" = 0 ]; then cat > "$2"; else cat >> "$2"; fi && sync -- "$2" 2>/dev/null || sync'
_CUT = 'cd -- "$1" && if [ -f "$2" ]; then head -c "$3" -- "$2" > "$2.cut" && mv -- "$2.cut" "$2"; fi'
_REMOVE = 'cd -- "$1" && rm -f -- "$2"'
_CREATE = (
    """cd -- "$1" && printf 'FROM %s/%s\\n' "$PWD" "$2" > "$2.Modelfile" && ollama create "$3" -f "$2.Modelfile\""""
)
_NAME = 'cd -- "$1" && mv -- "$2" "$3" && sync'


class FarFolder:
    """A folder of a machine that ssh reaches, with a POSIX shell and coreutils or busybox."""

    def __init__(self, target: Target, folder: str, client: Sequence[str]) -> None:
        self._target = target
        self._folder = folder
        self._client = tuple(client)

    def shown(self, name: str) -> str:
        return f"{self._target}:{self._folder}/{name}".rstrip("/")

    def look(self, name: str) -> tuple[int | None, int, int]:
        words = self._ask(_LOOK, name).split()
        if len(words) != 3 or not words[2].isdigit():
            raise ProbeError(f"{self._target}: did not tell what lies in {self._folder}", hint="has it a POSIX shell?")
        there, part = (int(word) if word.isdigit() else None for word in words[:2])
        return there, part or 0, 1024 * int(words[2])

    def digest(self, name: str, count: int) -> str:
        return (self._ask(_SUM, name, str(count)).split() or [""])[0]

    def append(self, file: Path, name: str, at: int, size: int, progress: Progress | None) -> int:
        if at:
            self._ask(_CUT, name, str(at))
        sent = 0
        with self._start(_TAKE, name, str(at), stdin=subprocess.PIPE) as program:
            assert program.stdin is not None
            try:
                with file.open("rb") as source:
                    source.seek(at)
                    while piece := source.read(PIECE):
                        program.stdin.write(piece)
                        sent += len(piece)
                        if progress is not None:
                            progress(at + sent, size)
                program.stdin.close()
            except BrokenPipeError:
                pass  # why, its exit status and its complaint tell
            except BaseException:
                program.kill()
                raise
            self._end(program)
        return sent

    def remove(self, name: str) -> None:
        self._ask(_REMOVE, name)

    def name(self, name: str, final: str) -> None:
        self._ask(_NAME, name, final)

    def create(self, file: str, name: str) -> None:
        self._ask(_CREATE, file, name)

    def _ask(self, script: str, *words: str) -> str:
        with self._start(script, *words, stdin=subprocess.DEVNULL) as program:
            said, complaint = program.communicate()
        self._check(program.returncode, complaint)
        return said.decode("utf-8", "replace")

    def _start(self, script: str, *words: str, stdin: int) -> subprocess.Popen[bytes]:
        command = " ".join(shlex.quote(word) for word in ("sh", "-c", script, "_", self._folder, *words))
        started = [*self._client, *_OPTIONS, *self._target.words(), command]
        try:
            return subprocess.Popen(started, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as failure:
            raise ProbeError(
                f"{self._client[0]}: {failure.strerror}", hint="install OpenSSH's client (openssh-client)"
            ) from failure

    def _end(self, program: subprocess.Popen[bytes]) -> None:
        assert program.stderr is not None
        complaint = program.stderr.read()
        self._check(program.wait(), complaint)

    def _check(self, code: int, complaint: bytes) -> None:
        if code == 0:
            return
        said = complaint.decode("utf-8", "replace").strip()
        if code == 255:
            raise before_start(self._target, code, said, b"")
        last = re.sub(r"\s+", " ", said.splitlines()[-1])[:200] if said else f"exit status {code}"
        raise ProbeError(
            f"{self._target}: {self._folder}: {last}", hint="may your user write there, and is there space?"
        )
