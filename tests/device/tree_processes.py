"""The processes of a written tree: names, units and shares of the totals that meminfo has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trees import Machine


class Program(NamedTuple):
    """A process; ``anon``, ``file``, ``shmem`` and ``swap`` are weights, scaled until they add up to the totals."""

    pid: int
    command: str
    group: str
    anon: int
    file: int
    shmem: int = 0
    swap: int = 0
    started_s: int = 9
    computed_s: float = 4.0
    parent: int = 1
    name: str = ""

    @property
    def comm(self) -> str:
        """15 letters of the program's name, as the kernel keeps it."""
        return (self.name or self.command.split()[0].rpartition("/")[2])[:15]


UPTIME_S = 86_400.0
_SERVICE = "0::/system.slice/{}.service\n"
_SESSION = "0::/user.slice/user-1000.slice/{}\n"


def service(pid: int, command: str, unit: str, anon: int, file: int, **more: float | str) -> Program:
    """A process of a systemd service."""
    return Program(pid, command, _SERVICE.format(unit), anon, file, **more)  # type: ignore[arg-type]


def session(pid: int, command: str, anon: int, file: int, **more: float | str) -> Program:
    """A process of the logged-in user's session."""
    group = _SESSION.format(more.pop("scope", "session-2.scope"))
    return Program(pid, command, group, anon, file, **more)  # type: ignore[arg-type]


SYSTEM = (
    Program(1, "/sbin/init", "0::/init.scope\n", 40, 30, started_s=0, parent=0, name="systemd"),
    service(310, "/lib/systemd/systemd-journald", "systemd-journald", 18, 60, swap=4),
    service(345, "/lib/systemd/systemd-udevd", "systemd-udevd", 30, 14, swap=6),
    service(700, "/lib/systemd/systemd-resolved", "systemd-resolved", 40, 24, swap=8),
    service(720, "@dbus-daemon --system --address=systemd:", "dbus", 20, 16, name="dbus-daemon"),
    service(731, "/usr/sbin/NetworkManager --no-daemon", "NetworkManager", 60, 60, swap=20),
    service(733, "/usr/sbin/rsyslogd -n -iNONE", "rsyslog", 18, 14),
    service(760, "/usr/sbin/nvphsd", "nvphs", 6, 12),
    service(770, "/usr/sbin/nvfancontrol", "nvfancontrol", 4, 10),
    service(775, "/usr/sbin/tee-supplicant", "nv-tee-supplicant", 3, 6),
    service(1012, "/usr/sbin/nvargus-daemon", "nvargus-daemon", 40, 50, swap=30),
    service(1050, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "ssh", 8, 16, name="sshd"),
    Program(1900, "/lib/systemd/systemd --user", _SESSION.format("user@1000.service/init.scope"), 30, 20, parent=1),
    session(2900, "-bash", 24, 12, parent=1050, name="bash"),
)
DOCKER = (
    service(1100, "/usr/bin/containerd", "containerd", 160, 120, swap=60),
    service(
        1150, "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock", "docker", 240, 180, swap=90
    ),
)
DESKTOP = (
    service(1200, "/usr/sbin/gdm3", "gdm", 14, 20, swap=10),
    service(1210, "/usr/lib/snapd/snapd", "snapd", 120, 80, swap=80, computed_s=31.5),
    service(1260, "/snap/cups/1067/sbin/cupsd -f", "snap.cups.cupsd", 20, 20, swap=20),
    service(1300, "/usr/libexec/packagekitd", "packagekit", 60, 60, swap=60),
    session(
        1731, "/usr/lib/xorg/Xorg vt2 -displayfd 3 -auth /run/user/1000/gdm/Xauthority", 220, 160, shmem=150, swap=200
    ),
    session(1760, "/usr/libexec/gnome-session-binary --session=ubuntu", 30, 40, swap=30),
    session(2831, "/usr/bin/gnome-shell", 900, 520, shmem=40, swap=1100, computed_s=190.0),
    session(
        2850,
        "/usr/bin/pulseaudio --daemonize=no --log-target=journal",
        60,
        50,
        shmem=20,
        swap=50,
        scope="user@1000.service/session.slice/pulseaudio.service",
    ),
    session(
        2870,
        "/usr/libexec/evolution-calendar-factory",
        80,
        70,
        swap=120,
        scope="user@1000.service/session.slice/evolution-calendar-factory.service",
    ),
    session(4481, "/usr/lib/firefox/firefox -contentproc", 500, 300, shmem=100, swap=600, name="Web Content"),
    session(5100, "/usr/bin/python3 -m ipykernel_launcher -f kernel.json", 260, 90, swap=400, computed_s=6.1),
)


def write_processes(machine: Machine) -> dict[str, str | bytes | Path]:
    """Files below ``/proc/PID``, and what counts processes as a whole."""
    programs = machine.programs
    anon = _share(machine.anon, [program.anon for program in programs])
    file = _share(machine.mapped - machine.mapped_shmem, [program.file for program in programs])
    shmem = _share(machine.mapped_shmem, [program.shmem for program in programs])
    swap = _share(machine.swap_used, [program.swap for program in programs])
    files: dict[str, str | bytes | Path] = {
        "/proc/uptime": f"{UPTIME_S:.2f} {UPTIME_S * machine.cpus * 0.97:.2f}\n",
        "/proc/2/stat": _stat(2, "kthreadd", 0, 0x0020_8040, 0, 0.0, 0),
        "/proc/2/cmdline": "",
        "/proc/2/comm": "kthreadd\n",
        "/proc/2/cgroup": "0::/\n",
        "/proc/2/smaps_rollup": "",
        "/proc/2/status": "Name:\tkthreadd\nPid:\t2\nPPid:\t0\nThreads:\t1\n",
    }
    for at, program in enumerate(programs):
        files |= _process(program, anon[at], file[at], shmem[at], swap[at])
    return files


def _process(program: Program, anon: int, file: int, shmem: int, swap: int) -> dict[str, str | bytes | Path]:
    folder = f"/proc/{program.pid}"
    # shared libraries: what a process maps is more than its share; the surplus is modelled
    rss_file = file * 3
    rss = anon + rss_file + shmem
    pss = anon + file + shmem
    rollup = {
        "Rss": rss, "Pss": pss, "Pss_Anon": anon, "Pss_File": file, "Pss_Shmem": shmem,
        "Shared_Clean": rss_file, "Shared_Dirty": shmem, "Private_Clean": 0, "Private_Dirty": anon,
        "Referenced": rss, "Anonymous": anon, "LazyFree": 0, "AnonHugePages": 0, "ShmemPmdMapped": 0,
        "FilePmdMapped": 0, "Shared_Hugetlb": 0, "Private_Hugetlb": 0, "Swap": swap, "SwapPss": swap, "Locked": 0,
    }  # fmt: skip
    lines = [f"{name + ':':<16}{size:>8} kB" for name, size in rollup.items()]
    status = {"VmPeak": rss * 4, "VmSize": rss * 4, "VmHWM": rss + 128, "VmRSS": rss, "RssAnon": anon}
    status |= {"RssFile": rss_file, "RssShmem": shmem, "VmSwap": swap}
    head = (
        f"Name:\t{program.comm}\nState:\tS (sleeping)\nPid:\t{program.pid}\nPPid:\t{program.parent}\nUid:\t0\t0\t0\t0\n"
    )
    return {
        f"{folder}/stat": _stat(
            program.pid, program.comm, program.parent, 0x0040_0100, program.started_s, program.computed_s, rss
        ),
        f"{folder}/cmdline": program.command.replace(" ", "\0") + "\0",
        f"{folder}/comm": program.comm + "\n",
        f"{folder}/cgroup": program.group,
        f"{folder}/smaps_rollup": "\n".join(
            ["55d0c0000000-7ffd4d5f8000 ---p 00000000 00:00 0                [rollup]", *lines, ""]
        ),
        f"{folder}/status": head + "".join(f"{name}:\t{size:>8} kB\n" for name, size in status.items()),
    }


def _stat(pid: int, comm: str, parent: int, flags: int, started_s: float, computed_s: float, rss: int) -> str:
    ticks, half = int(started_s * 100), int(computed_s * 50)
    faults, times = "0 0 0 0", f"{half} {half} 0 0"
    rest = "18446744073709551615 " + "0 " * 26
    front = f"{pid} ({comm}) S {parent} {pid} {pid} 0 -1 {flags} {faults} {times} 20 0 1 0"
    return f"{front} {ticks} {rss * 4096} {rss // 4} {rest}\n"


def _share(total: int, weights: list[int]) -> list[int]:
    """``total`` divided by weight, in whole pages of 4 kB; the largest takes what rounding leaves."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole // 4 * 4 for weight in weights]
    parts[max(range(len(parts)), key=parts.__getitem__)] += total - sum(parts)
    return parts
