"""Entry of the child: read one job, set the limits, answer, and leave without the engine's destructors."""

import json
import os
import resource
import signal
import sys
import types
from pathlib import Path


def main() -> None:
    """Answer one job from standard input on standard output; anything else the engine prints goes to standard error.

    A job of kind ``live`` or ``bench`` is a conversation; the process of the first is limited from outside.
    """
    answer_fd = os.dup(1)
    os.dup2(2, 1)  # the engine may print: only the answer may reach the parent's pipe
    job = json.loads(sys.stdin.readline())
    name_packages()
    if job["kind"] == "live":
        from memfit.engine._llama_cpp._child.live import live

        live(job, answer_fd)
        os._exit(0)
    if job["kind"] == "bench":
        sys.path.extend(job["search"])  # it needs numpy, as the package does
        from memfit.engine._llama_cpp._child.bench import bench

        bench(job, answer_fd)
        os._exit(0)
    limit(job["memory_bytes"], job["time_s"])
    from memfit.engine._llama_cpp._child.jobs import answer

    text = json.dumps(answer(job)).encode()
    while text:
        text = text[os.write(answer_fd, text) :]
    os._exit(0)  # the engine's destructors would only take time, and could crash after the answer


def name_packages() -> None:
    """Make the modules beside this file importable without the ``__init__`` of the packages above them."""
    name = ""
    for folder in reversed(Path(__file__).resolve().parents[:4]):
        name = f"{name}.{folder.name}".lstrip(".")
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


def limit(memory_bytes: int, time_s: int) -> None:
    """No core dumps, bounded memory and time; the alarm ends a hang that the parent no longer watches.

    The memory limit is on data (``RLIMIT_DATA``) and not on address space: allocator arenas and GPU drivers reserve
    address space far beyond what they use.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, most in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CPU, time_s)):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    signal.alarm(time_s)


if __name__ == "__main__":
    main()
