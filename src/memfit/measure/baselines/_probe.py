"""Entry of the child: bring one runtime up, and say what this process holds before and after.

Runs in the interpreter that has the runtime, which may be another than memfit's: standard library of Python 3.8 only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import platform
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

KIB = 1024  # /proc counts in it
# memory shared between programs or with a device, under names like those of files (as in device/pages.py)
NO_FILES = ("/memfd:", "/dev/", "/SYSV", "/anon_hugepage")


def main() -> None:
    """Answer one question from standard input on standard output."""
    answer_fd = os.dup(1)
    os.dup2(2, 1)  # what a runtime prints is no answer
    folder = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != folder]  # files there are named as modules
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    question = json.load(sys.stdin)
    answer: dict[str, Any] = {"python": platform.python_version()}
    if importlib.util.find_spec(question["module"]) is None:
        answer["missing"] = True
    else:
        answer.update(brought_up(question))
    os.write(answer_fd, json.dumps(answer).encode())
    os._exit(0)  # what a runtime does when it ends is not asked, and may crash


def brought_up(question: dict[str, str]) -> dict[str, Any]:
    """Memory before and after the statement, or why it failed."""
    version = version_of(question["distribution"])
    available = fields("/proc/meminfo")["MemAvailable"]
    objects: dict[str, Any] = {"__name__": "baseline"}  # kept until all is read: a session is what is measured
    before, began = held(), time.monotonic()
    try:
        exec(compile(question["statement"], question["module"], "exec"), objects)
    except BaseException as error:  # a process boundary: whatever a runtime raises, even SystemExit, is the answer
        return {"version": version, "failed": f"{type(error).__name__}: {error}"}
    took = time.monotonic() - began
    return {
        "version": version,
        "before": before,
        "after": held(),
        "peak_bytes": fields("/proc/self/status")["VmHWM"],
        "available_drop_bytes": available - fields("/proc/meminfo")["MemAvailable"],
        "duration_s": took,
    }


def held() -> dict[str, int]:
    """What this process holds.

    Its share with mapped files whole, as if nothing else ran: PSS leaves out what neighbours have mapped too. Then all
    that is resident, and the part that the kernel cannot drop.
    """
    pss = resident = anonymous = left_out = 0
    for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text_of("/proc/self/smaps"), flags=re.MULTILINE)[1:]:
        sizes = sizes_in(mapping)
        pss, resident, anonymous = pss + sizes["Pss"], resident + sizes["Rss"], anonymous + sizes["Anonymous"]
        if is_of_a_file(mapping.split("\n", 1)[0]):
            left_out += sizes["Rss"] - sizes["Pss"]
    return {
        "pss_bytes": pss,
        "whole_bytes": pss + left_out,
        "resident_bytes": resident,
        "anonymous_bytes": anonymous,
    }


def is_of_a_file(line: str) -> bool:
    """Whether the first line of a mapping names a file: "7f00-7f01 r--p 00000000 08:01 1234  /a/file"."""
    parts = line.split(None, 5)
    return len(parts) == 6 and parts[4] != "0" and not parts[5].startswith(NO_FILES)


def fields(path: str) -> dict[str, int]:
    """The sizes of a file of /proc by name."""
    return sizes_in(text_of(path))


def text_of(path: str) -> str:
    """A file of /proc; names in it may hold any bytes."""
    return Path(path).read_text(encoding="ascii", errors="replace")


def sizes_in(text: str) -> dict[str, int]:
    """What stands there in kB, in bytes by name."""
    return {name: int(size) * KIB for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


def version_of(distribution: str) -> str | None:
    """The installed version, None where the package does not tell."""
    with contextlib.suppress(Exception):
        from importlib.metadata import version

        return version(distribution)
    return None


if __name__ == "__main__":
    main()
