"""Ends what memfit started when memfit itself is killed: a process of its own that waits for memfit's end.

Nothing that memfit does can follow its own ``kill -9`` (or the kernel's: it may run out of memory too), and a server
that runs on would hold its memory and its port. The guard is a small shell in a session of its own, outside
of the run's process tree and control group. It reads a pipe that only memfit holds: when that ends without a last word,
memfit is gone, and the guard kills the run and removes its group.

Why not ``PR_SET_PDEATHSIG``: it reaches the one process and not its descendants (a server started by a script), goes
off when the thread that started it ends, is lost at a ``sudo``, and leaves the group behind.
"""

from __future__ import annotations

import contextlib
import subprocess

from memfit.measure.limits import Fence

# Field 6 of /proc/PID/stat is the session, the fourth behind the name's bracket (proc_pid_stat(5)). A group stays busy
# until the kernel has taken its last process apart, which takes long where gigabytes are freed. What ends with
# ".scope" is systemd's to remove.
_SCRIPT = """
trap '' HUP INT QUIT TERM
pid= folder=
while read -r what value; do
    case $what in
    pid) pid=$value ;;
    group) folder=$value ;;
    done) exit 0 ;;
    esac
done
for again in 1 2 3; do
    [ -n "$pid" ] || break
    kill -9 -- "-$pid"
    for stat in /proc/[0-9]*/stat; do
        read -r line < "$stat" || continue
        set -- ${line##*) }
        [ "$4" = "$pid" ] && stat=${stat#/proc/} && kill -9 "${stat%/stat}"
    done
done
[ -d "$folder" ] || exit 0
turns=0
while [ -d "$folder" ] && [ "$turns" -lt 600 ]; do
    echo 1 > "$folder/cgroup.kill"
    while read -r member; do kill -9 "$member"; done < "$folder/cgroup.procs"
    case $folder in *.scope) ;; *) rmdir "$folder" && exit 0 ;; esac
    turns=$((turns + 1))
    sleep 0.1
done
"""


class Guard:
    """Watches over one run, from before it starts until ``dismiss``.

    Where no shell can be started there is none, and a run may outlive memfit: no reason not to run.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
                bufsize=0,
            )

    def program(self, pid: int) -> None:
        """The run's first process, which leads a session."""
        self._tell(f"pid {pid}")

    def group(self, fence: Fence) -> None:
        """The run's control group, as soon as it is known."""
        if fence.group is not None:
            self._tell(f"group {fence.group.folder}")

    def dismiss(self) -> None:
        """The run has ended and is taken down."""
        self._tell("done")
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)

    def _tell(self, line: str) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # somebody ended it
            self._process.stdin.write(line.encode() + b"\n")
