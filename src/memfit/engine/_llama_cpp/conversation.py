"""A conversation with a child: questions as lines of JSON, answers as lines and the bytes that they announce."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from memfit.engine._llama_cpp.child import first_line, lacks_memory
from memfit.errors import EngineFailed

_KEPT_COMPLAINT_BYTES = 16 * 1024


class Conversation:
    """A child process; what it says on standard error is kept for when it dies.

    Args:
        words: that start it.
        environment: its variables.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the child
        self._program = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, env=environment
        )

    def close(self) -> None:
        """End the child, and all that it holds."""
        self._program.kill()
        with suppress(BrokenPipeError):  # the rest of a question that a dead child did not read
            self._program.communicate()
        self._said.close()

    def send(self, question: dict[str, Any]) -> None:
        """Ask.

        Raises:
            EngineFailed: it is dead.
        """
        assert self._program.stdin is not None
        try:
            self._program.stdin.write(json.dumps(question).encode() + b"\n")
            self._program.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None

    def hear(self) -> dict[str, Any]:
        """The next line of an answer.

        Raises:
            EngineFailed: it died, or says that it cannot.
        """
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._died()
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "failed":
            what, why = event["what"], event["why"]
            hint = "free some memory, or work on fewer tokens (--tokens)" if lacks_memory(why) else None
            cause = f": {first_line(why)}" if why.strip() else ""
            raise EngineFailed(f"llama.cpp could not {what}{cause}", hint=hint, said=self._complaint())
        return event

    def exactly(self, count: int) -> bytes:
        """So many bytes, which a line announced.

        Raises:
            EngineFailed: it died.
        """
        assert self._program.stdout is not None
        data = self._program.stdout.read(count)
        if len(data) < count:
            raise self._died()
        return data

    def _died(self) -> EngineFailed:
        code = self._program.wait()
        said = self._complaint()
        lines = [line for line in said.splitlines() if line.strip()]
        last = f": {lines[-1].strip()}" if lines else ""
        how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        hint = "the kernel kills like this when memory runs out: free some" if code == -9 else None
        return EngineFailed(f"the engine's process was {how}{last}", hint=hint, said=said)

    def _complaint(self) -> str:
        self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, self._said.tell() - _KEPT_COMPLAINT_BYTES))
        return self._said.read().decode(errors="replace")
