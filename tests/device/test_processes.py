from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.audit_records import NvMapClient, ProcessRow
from memfit.device.facts.processes import read
from memfit.device.process_table import ProcessFacts, parse_stat
from memfit.device.processes import build_rows, file_bytes
from memfit.errors import NeedsRoot, ProbeError
from memfit.host import LocalHost
from memfit.host._program import PYTHON_OPTIONS
from memfit.units import KIB, MIB

SESSION = "0::/user.slice/user-1000.slice/session-2.scope\n"
MANAGER = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n"


def process(
    command: str, cgroup: str = "0::/\n", *, pid: int = 100, name: str = "", computed_s: float = 100.0, pss: int = MIB
) -> ProcessFacts:
    words = tuple(command.split())
    return ProcessFacts(
        pid=pid,
        parent=1,
        name=name or words[0].rpartition("/")[2][:15],
        command=words,
        started_s=10.0,
        computed_s=computed_s,
        rss_bytes=pss * 2,
        cgroup=cgroup,
        memory={"Rss": pss * 2, "Pss": pss, "Pss_Anon": pss // 2, "Pss_File": pss // 4, "SwapPss": 8 * KIB},
    )


def row(facts: ProcessFacts, *others: ProcessFacts, nvmap: tuple[NvMapClient, ...] = ()) -> ProcessRow:
    rows = build_rows((facts, *others), nvmap, uptime_s=1000.0)
    return next(row for row in rows if row.pid == facts.pid)


@pytest.mark.parametrize(
    ("command", "cgroup", "role"),
    [
        ("/usr/sbin/gdm3", "0::/system.slice/gdm.service\n", "desktop"),
        ("/usr/sbin/lightdm", "0::/system.slice/display-manager.service\n", "desktop"),
        ("/usr/bin/weston --tty=1", "0::/system.slice/nvweston.service\n", "desktop"),
        ("/usr/bin/gnome-shell", MANAGER, "desktop"),
        ("/usr/libexec/gsd-power", MANAGER, "desktop"),
        ("/usr/bin/pulseaudio --daemonize=no", MANAGER, "audio"),
        ("/usr/bin/wireplumber", MANAGER, "audio"),
        ("/usr/lib/snapd/snapd", "0::/system.slice/snapd.service\n", "snap"),
        ("/snap/cups/1067/sbin/cupsd -f", "0::/system.slice/snap.cups.cupsd.service\n", "snap"),
        ("/usr/bin/dockerd -H fd://", "0::/system.slice/docker.service\n", "docker"),
        ("/usr/bin/containerd-shim-runc-v2 -id 4", "0::/system.slice/containerd.service\n", "docker"),
        ("nginx: worker", f"0::/docker/{'ab' * 32}\n", "container"),
        ("/app/llama-server -m a.gguf", f"0::/docker/{'ab' * 32}\n", "inference"),
        ("/usr/local/bin/ollama serve", "0::/system.slice/ollama.service\n", "inference"),
        ("python3 -m vllm.entrypoints.openai.api_server", SESSION, "inference"),
        ("/usr/bin/python3 /usr/local/bin/vllm serve model", SESSION, "inference"),
        ("sshd: jetson@pts/0", SESSION, "ssh"),
        ("/usr/sbin/sshd -D", "0::/system.slice/ssh.service\n", "ssh"),
        ("/usr/bin/python3 /usr/bin/networkd-dispatcher", "0::/system.slice/networkd-dispatcher.service\n", ""),
        ("python3 main.py", SESSION, "python"),
        ("/usr/bin/python3 /usr/bin/memfit audit", SESSION, "memfit"),
        ("python3 -m memfit audit", SESSION, "memfit"),
        ("memfit audit", SESSION, "memfit"),
        ("/usr/bin/vim memfit", SESSION, ""),
        ("/usr/bin/cc1plus -I /src/llama.cpp/llama-server", SESSION, ""),
        ("/usr/sbin/cron -f", "0::/system.slice/cron.service\n", ""),
    ],
)
def test_roles(command: str, cgroup: str, role: str) -> None:
    assert row(process(command, cgroup)).role == role


def test_everything_of_a_graphical_session_is_desktop_and_of_others_not() -> None:
    terminal = process("/usr/bin/bash", SESSION, pid=2)
    over_ssh = process("/usr/bin/bash", SESSION.replace("session-2", "session-9"), pid=3)
    server = process("/usr/lib/xorg/Xorg vt2", SESSION, pid=4)
    assert row(terminal, over_ssh, server).role == "desktop"
    assert row(over_ssh, terminal, server).role == ""


def test_an_interpreter_started_in_a_terminal_on_the_desktop_is_still_one() -> None:
    server = process("/usr/lib/xorg/Xorg vt2", SESSION, pid=4)
    assert row(process("python3 main.py", SESSION, computed_s=2.0), server).role == "idle python"
    assert row(process("/usr/bin/python3 /usr/bin/gnome-abrt", SESSION), server).role == "desktop"
    assert row(process("python3 sync.py", MANAGER, computed_s=2.0)).role == ""  # a unit of its own


def test_an_interpreter_is_idle_when_it_has_computed_next_to_nothing() -> None:
    assert row(process("python3 main.py", SESSION, computed_s=2.0)).role == "idle python"
    assert row(process("python3 main.py", SESSION, computed_s=400.0)).role == "python"
    rows = build_rows((process("python3 main.py", SESSION, computed_s=2.0),))
    assert rows[0].role == "python"  # without the time since boot nothing is said to be idle


def test_an_interpreter_that_holds_gpu_memory_infers() -> None:
    client = NvMapClient(user="user", name="python3", pid=100, bytes=MIB)
    assert row(process("python3 main.py", SESSION, computed_s=2.0), nvmap=(client,)).role == "inference"


def test_names_show_what_an_interpreter_runs_and_undo_the_cut_at_15_letters() -> None:
    assert row(process("/usr/bin/python3 -u /opt/app/main.py --x")).name == "python3 main.py"
    assert row(process("/usr/libexec/evolution-calendar-factory")).name == "evolution-calendar-factory"
    assert row(process("/usr/lib/firefox/firefox -contentproc", name="Web Content")).name == "Web Content"


def test_the_auditing_process_is_itself_whatever_it_is_called() -> None:
    rows = build_rows((process("python3 notebook.py", SESSION),), own_pid=100)
    assert rows[0].role == "memfit"


def test_what_reads_over_ssh_is_memfit_too() -> None:
    assert row(process(" ".join(("python3", *PYTHON_OPTIONS)), SESSION)).role == "memfit"


def test_unread_memory_is_unknown_and_not_zero() -> None:
    facts = process("/usr/sbin/cron")
    unread = ProcessFacts(
        **{name: getattr(facts, name) for name in facts.__struct_fields__ if name != "memory"}, memory=None
    )
    found = row(unread)
    assert found.pss_bytes is None
    assert found.rss_bytes == facts.rss_bytes
    assert file_bytes(unread) == 0


def test_stat_with_a_name_of_brackets_and_spaces() -> None:
    text = f"7 (a) b (c) S 1 7 7 0 -1 4194560 {'0 ' * 4}150 50 0 0 20 0 1 0 4200 9 25 {'0 ' * 20}"
    stat = parse_stat(text)
    assert stat is not None
    assert (stat.name, stat.computed_s, stat.started_s, stat.rss_bytes) == ("a) b (c", 2.0, 42.0, 100 * KIB)
    assert stat.has_memory


@given(st.text(max_size=120))
def test_no_stat_breaks_the_parser(text: str) -> None:
    parse_stat(text)


class Vanishing(LocalHost):
    """A machine where files of one process go away, or may not be read, between two reads."""

    def __init__(self, root: Path, gone: str, error: type[ProbeError] = ProbeError) -> None:
        super().__init__(root)
        self.gone, self.error = gone, error

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        if path.endswith(self.gone):
            raise self.error(f"{path}: gone")
        return super().read_bytes(path, most=most)


STAT = "{pid} (sleep) S 1 1 1 0 -1 4194560 0 0 0 0 1 1 0 0 20 0 1 0 4200 9 25 " + "0 " * 20
ROLLUP = "55d0-7ffd ---p 00000000 00:00 0   [rollup]\nRss: 100 kB\nPss: 60 kB\nPss_Anon: 40 kB\nSwapPss: 4 kB\n"


def write_process(root: Path, pid: int, **files: str) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    found = {"stat": STAT.format(pid=pid), "cmdline": "sleep\0", "cgroup": "0::/\n", "smaps_rollup": ROLLUP, **files}
    for name, text in found.items():
        (folder / name).write_text(text)


def test_processes_are_read_from_proc(tmp_path: Path) -> None:
    write_process(tmp_path, 12)
    write_process(tmp_path, 9)
    kernel_thread = STAT.format(pid=2).replace(" 4194560 ", f" {0x00200000 | 0x40} ")
    write_process(tmp_path, 2, stat=kernel_thread)
    write_process(tmp_path, 3, stat=STAT.format(pid=3).replace(") S ", ") Z "))
    (tmp_path / "proc/self").mkdir()
    found = read(LocalHost(tmp_path))
    assert [facts.pid for facts in found] == [9, 12]
    assert found[0].memory == {"Rss": 100 * KIB, "Pss": 60 * KIB, "Pss_Anon": 40 * KIB, "SwapPss": 4 * KIB}


@pytest.mark.parametrize("gone", ["12/stat", "12/cmdline", "12/cgroup"])
def test_a_process_that_ends_meanwhile_is_left_out(tmp_path: Path, gone: str) -> None:
    write_process(tmp_path, 9)
    write_process(tmp_path, 12)
    assert [facts.pid for facts in read(Vanishing(tmp_path, gone))] == [9]


def test_an_empty_rollup_is_of_a_process_that_is_ending(tmp_path: Path) -> None:
    write_process(tmp_path, 9, smaps_rollup="")
    write_process(tmp_path, 12)
    assert [facts.pid for facts in read(LocalHost(tmp_path))] == [12]


def test_memory_that_only_root_may_read_is_unknown(tmp_path: Path) -> None:
    write_process(tmp_path, 9)
    assert read(Vanishing(tmp_path, "smaps_rollup", NeedsRoot))[0].memory is None


def test_a_kernel_without_rollups_loses_no_process(tmp_path: Path) -> None:
    write_process(tmp_path, 9)
    assert read(Vanishing(tmp_path, "smaps_rollup"))[0].memory is None


def test_nothing_runs_in_an_image(tmp_path: Path) -> None:
    assert read(LocalHost(tmp_path)) == ()
