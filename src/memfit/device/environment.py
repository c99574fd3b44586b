"""The variables a running process was started with."""

from __future__ import annotations

from memfit.errors import ProbeError
from memfit.host import Host


def read_variables(pid: int, prefixes: tuple[str, ...], host: Host) -> dict[str, str]:
    """Variables of process ``pid`` whose names begin with one of ``prefixes``; none where it may not be read.

    Only those are decoded: the rest of an environment holds secrets.
    """
    try:
        raw = host.read_bytes(f"/proc/{pid}/environ", most=1 << 20)
    except ProbeError:  # NeedsRoot too
        return {}
    starts = tuple(prefix.encode() for prefix in prefixes)
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if entry.startswith(starts))
    return {
        name.decode("ascii", "replace"): value.decode("utf-8", "replace") for name, equals, value in pairs if equals
    }
