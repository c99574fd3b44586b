"""Who holds memory: every process by its fair share, with the unit that started it and what kind of use it is.

The share is PSS, proportional set size: a page of one process counts whole, a page that n processes map counts 1/n for
each. It is what ``procrank`` and ``smem`` sort by, and the one figure that adds up without counting a page twice.
"""

from __future__ import annotations

import re

from memfit.device.audit_records import NvMapClient, ProcessRow
from memfit.device.control_groups import Owner, find_owner
from memfit.device.process_table import ProcessFacts

_IDLE_AFTER_S = 60.0
_IDLE_SHARE = 0.01
"""A process that has computed for under 1 % of a life of a minute or more is taken for idle."""

# arm64 and x86-64: THREAD_SIZE is 16 KiB, task_struct and what hangs on it some 8 more (slabinfo, Linux 6.1)
_THREAD_BYTES = 24 << 10
# where its page tables are not known: a page of them maps 512 pages, and the rest is what six of Debian's
# services have beyond that (37 to 109 KiB; arm64, Linux 6.1)
_PAGES_A_TABLE, _TABLES_BYTES = 512, 48 << 10

_DISPLAY = re.compile(
    r"gdm|gdm3|lightdm|sddm|xdm|lxdm|display-manager|nvweston|weston|nvwm|x11|gnome-shell|Xorg|Xwayland|"
    r"gnome-session.*|mutter.*|plasma.*|kwin.*|lxsession|lxpanel|pcmanfm|openbox|xfce4-.*|xfwm4|sway|labwc|wayfire"
)
_DESKTOP = re.compile(
    r"gnome-.*|gsd-.*|gvfs.*|ibus-.*|xdg-.*|tracker-.*|evolution-.*|goa-.*|nautilus.*|gjs|at-spi.*|dconf-service|"
    r"update-notifier|zeitgeist.*|deja-dup.*|colord-session|unclutter|xscreensaver|light-locker|nm-applet|blueman-.*"
)
_AUDIO = re.compile(r"pulseaudio|pipewire.*|wireplumber|pipewire-media-.*|jackd|alsactl|rtkit-daemon")
_DOCKER = re.compile(r"dockerd|containerd|containerd-shim.*|docker-proxy|podman|conmon|buildkitd|runc")
_SSH = re.compile(r"sshd.*|sftp-server|dropbear")
_PYTHON = re.compile(r"python[0-9.]*|pt_main_thread|jupyter.*|ipython.*")
_INFERENCE = re.compile(
    r"(?:llama-(?:server|cli|bench|run|cpp)|llama_cpp|ollama|vllm|sglang|tensorrt[_-]?llm|trtllm|tritonserver|mlc_llm|"
    r"koboldcpp|text-generation|whisper-server|lmdeploy|nano_llm|trtexec|llm_chat)(?![a-z0-9])",
    re.IGNORECASE,
)
_MEMFIT = re.compile(r"memfit(?:\.|$)")
# what reads a machine over ssh is ``python3`` with these words (``host/_program.py``)
_COLLECTOR = ("-I", "-S", "-B", "-")


def build_rows(
    processes: tuple[ProcessFacts, ...],
    nvmap: tuple[NvMapClient, ...] = (),
    *,
    uptime_s: float | None = None,
    own_pid: int | None = None,
) -> tuple[ProcessRow, ...]:
    """A row for every process, the largest share first.

    ``nvmap`` tells which interpreters hold GPU memory; without ``uptime_s`` nothing is taken for idle. ``own_pid`` is
    the process that audits, where it runs on the machine it looks at.
    """
    owners = {process.pid: find_owner(process.cgroup) for process in processes}
    gpu = {client.pid for client in nvmap if client.bytes}
    graphical = _graphical_sessions(processes, owners)
    rows = []
    for process in processes:
        owner = owners[process.pid]
        memory = process.memory or {}
        own = process.pid == own_pid
        role = "memfit" if own else _role(process, owner, graphical, on_gpu=process.pid in gpu, uptime_s=uptime_s)
        rows.append(
            ProcessRow(
                pid=process.pid,
                name=_name(process),
                unit=owner.unit,
                kind=owner.kind,
                role=role,
                pss_bytes=memory.get("Pss") if process.memory is not None else None,
                anonymous_bytes=memory.get("Pss_Anon", memory.get("Anonymous", 0)),
                rss_bytes=memory.get("Rss", process.rss_bytes),
                swapped_bytes=memory.get("SwapPss", memory.get("Swap", 0)),
                shared_bytes=memory.get("Pss_Shmem", 0),
                kernel_bytes=_kernel_bytes(process, memory.get("Rss", process.rss_bytes)),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-(row.rss_bytes if row.pss_bytes is None else row.pss_bytes), row.pid)))


def serves_model(command: tuple[str, ...]) -> bool:
    """Whether these words start a program that serves models, or an interpreter with one."""
    program = _program_of(command)
    script = _script_of(command) if _PYTHON.fullmatch(program) else ""
    return any(_INFERENCE.match(name) for name in (program, script))


def file_bytes(process: ProcessFacts) -> int:
    """Its share of mapped files in the page cache (``Pss_File``, since Linux 5.3; before, what is not anonymous)."""
    memory = process.memory or {}
    return memory.get("Pss_File", max(0, memory.get("Pss", 0) - memory.get("Anonymous", 0)))


def _kernel_bytes(process: ProcessFacts, rss_bytes: int) -> int:
    """What the kernel keeps for it and gives back: what it has of slabs stays in them."""
    tables = _TABLES_BYTES + rss_bytes // _PAGES_A_TABLE if process.tables_bytes is None else process.tables_bytes
    return process.threads * _THREAD_BYTES + tables


def _graphical_sessions(processes: tuple[ProcessFacts, ...], owners: dict[int, Owner]) -> frozenset[str]:
    """Sessions in which a display server or a session manager of a desktop runs."""
    return frozenset(
        owner.path
        for process in processes
        if (owner := owners[process.pid]).kind == "session"
        and (owner.unit or "").startswith("session-")
        and _DISPLAY.fullmatch(_program(process))
    )


def _role(
    process: ProcessFacts, owner: Owner, graphical: frozenset[str], *, on_gpu: bool, uptime_s: float | None
) -> str:
    program = _program(process)
    unit = (owner.unit or "").rpartition(".")[0]
    started = (program, _script(process))  # what runs, and what an interpreter runs
    if any(_MEMFIT.match(name) for name in started) or process.command[1:] == _COLLECTOR:
        return "memfit"
    if any(_INFERENCE.match(name) for name in (*started, process.name)) or (on_gpu and _is_python(process)):
        return "inference"
    if _AUDIO.fullmatch(program):
        return "audio"
    if _SSH.fullmatch(program) or unit in ("ssh", "sshd"):
        return "ssh"
    if _is_desktop(started, unit, owner):
        return "desktop"
    if unit.startswith(("snap.", "snapd")) or program == "snapd" or (process.command or ("",))[0].startswith("/snap/"):
        return "snap"
    if owner.kind == "container":
        return "container"
    if _DOCKER.fullmatch(program):
        return "docker"
    # one that somebody started by hand, also in a terminal on the desktop; a service's interpreter has its unit
    if _is_python(process) and not (owner.unit or "").endswith(".service"):
        return "idle python" if _is_idle(process, uptime_s) else "python"
    return "desktop" if owner.path in graphical else ""


def _is_desktop(started: tuple[str, str], unit: str, owner: Owner) -> bool:
    if _DISPLAY.fullmatch(unit) or any(_DISPLAY.fullmatch(name) for name in started):
        return True
    return owner.kind == "session" and any(_DESKTOP.fullmatch(name) for name in started)


def _is_python(process: ProcessFacts) -> bool:
    return bool(_PYTHON.fullmatch(_program(process)) or _PYTHON.fullmatch(process.name))


def _is_idle(process: ProcessFacts, uptime_s: float | None) -> bool:
    if uptime_s is None:
        return False
    life_s = uptime_s - process.started_s
    return life_s >= _IDLE_AFTER_S and process.computed_s < _IDLE_SHARE * life_s


def _program(process: ProcessFacts) -> str:
    """The file it was started from, without its folder; ``sshd: jetson@pts/0`` (a title) reads as ``sshd``."""
    return _program_of(process.command) or process.name


def _program_of(command: tuple[str, ...]) -> str:
    first = command[0] if command else ""
    return first.split(" ", 1)[0].rstrip(":").rpartition("/")[2].removeprefix("-")


def _name(process: ProcessFacts) -> str:
    """``comm``, or the program's name where ``comm`` is that name cut at 15 letters; scripts show what they run."""
    program, script = _program(process), _script(process)
    if script:
        return f"{program} {script}"
    return program if program.startswith(process.name) else process.name


def _script(process: ProcessFacts) -> str:
    """What an interpreter was told to run, ``vllm.entrypoints.api_server`` or ``main.py``; empty of other programs."""
    return _script_of(process.command) if _PYTHON.fullmatch(_program(process)) else ""


def _script_of(command: tuple[str, ...]) -> str:
    script = next((word for word in command[1:] if not word.startswith("-")), "")
    return "" if "\n" in script or " " in script else script.rpartition("/")[2]
