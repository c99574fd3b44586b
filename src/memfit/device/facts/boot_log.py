"""What the kernel said about memory while it booted."""

from __future__ import annotations

from memfit.device.boot_log import BootLog, parse_boot_log
from memfit.device.facts._fact import Fact
from memfit.errors import ProbeError
from memfit.host import Host

# the ring buffer itself comes first: the files may be of an earlier boot, but the ring may have lost its beginning
_SOURCES = ("/dev/kmsg", "/var/log/dmesg", "/var/log/kern.log", "/var/log/kern.log.1", "/var/log/syslog")
_MOST = 8 << 20


def read(host: Host) -> BootLog | None:
    """The first source that has the line about memory, else the first that is readable; None where none is.

    A ring buffer that is full loses its beginning first. A journal in systemd's binary format is not read.
    """
    second_best = None
    for path in _SOURCES:
        try:
            text = host.read_bytes(path, most=_MOST).decode("utf-8", "replace")
        except ProbeError:  # NeedsRoot too
            continue
        log = parse_boot_log(text, path)
        if log.linux_bytes is not None:
            return log
        second_best = second_best or log
    return second_best


FACT = Fact(paths=_SOURCES, read=read, provides="what the kernel took while it booted")
