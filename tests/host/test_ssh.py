"""A machine over ssh, for real: against an sshd of one's own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memfit.device.audit import audit
from memfit.errors import NeedsRoot, ProbeError, UnsupportedDevice, UsageError
from memfit.host import Host, LocalHost, Manifest, _collect, open_host
from memfit.host._complaint import before_start
from memfit.host._target import Target, parse_target
from memfit.host.record import record, take
from memfit.host.recorded import RecordedHost
from memfit.host.ssh import SshHost
from memfit.units import MIB
from ssh_server import Server, free_port, require_sshd

PATHS = (
    "/proc/version",
    "/proc/cmdline",
    "/proc/cpuinfo",
    "/proc/sys/kernel/osrelease",
    "/proc/mounts",
    "/etc/os-release",
    "/etc/passwd",
    "/etc",
    "/sys/block",
    "/sys/block/*/size",
    "/sys/class/net/*/address",
    "/nowhere/*/at/all",
    "/not/there",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require_sshd()
    started = Server(tmp_path_factory.mktemp("ssh") / "server")
    yield started
    started.stop()


@pytest.fixture
def server(running: Server) -> Server:
    running.put("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (running.bin / "sudo").unlink(missing_ok=True)
    running.know("host")
    running.configure()
    return running


def board(server: Server, *, target: str = "board", sudo: bool = False, quiet_s: float = 15.0) -> SshHost:
    return SshHost(target, Manifest(paths=PATHS), client=server.client, sudo=sudo, quiet_s=quiet_s)


def everything(host: Host) -> dict[str, object]:
    """All that the manifest's paths tell, failures too."""
    found: dict[str, object] = {}
    for pattern in PATHS:
        found[pattern] = host.glob(pattern)
        for path in (pattern, *host.glob(pattern)):
            for ask in (host.read_bytes, host.list_dir, host.read_link):
                try:
                    found[f"{ask.__name__} {path}"] = ask(path)
                except ProbeError as error:
                    found[f"{ask.__name__} {path}"] = type(error).__name__
    found["disk"] = host.disk("/etc").total_bytes
    return found


def refusal(host: SshHost) -> ProbeError:
    with pytest.raises(ProbeError) as refused:
        host.read_bytes("/etc/os-release")
    assert str(refused.value).startswith(str(host.name)), refused.value
    assert refused.value.hint
    return refused.value


def test_every_door_tells_the_same(server: Server, tmp_path: Path) -> None:
    here, there = LocalHost(), board(server)
    known = everything(here)
    assert known["/etc/os-release"] == ("/etc/os-release",)
    assert everything(there) == known
    manifest = Manifest(paths=PATHS)
    hosts: tuple[Host, ...] = (here, there)
    for host in hosts:
        file = tmp_path / f"{host.door}.tar.gz"
        told = record(host, manifest, file)
        assert everything(told) == known
        assert everything(RecordedHost(file)) == known


def test_one_connection_within_the_memory_of_a_small_program(server: Server) -> None:
    count = server.folder / "count"
    server.put("python3", f'#!/bin/sh\necho >> {count}\nexec {sys.executable} "$@"\n')
    host = board(server)
    assert not count.exists()  # none before the first question
    host.read_bytes("/etc/os-release")
    host.glob("/sys/block/*/size")
    assert count.read_text() == "\n"
    peak = host.snapshot.peak_bytes
    assert peak is not None
    assert peak <= 20 * MIB
    host.refresh()
    host.read_bytes("/etc/os-release")
    assert count.read_text() == "\n\n"


def test_a_machine_that_answers_nothing_is_asked_once_and_not_for_every_file(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_collect, "CONNECT_S", 0)
    asked = server.folder / "asked"
    server.put("python3", f"#!/bin/sh\necho >> {asked}\nexec /usr/bin/sleep 100\n")
    host = board(server, quiet_s=8.0)
    with pytest.raises(ProbeError, match="nothing came"):
        audit(host)
    for path in ("/etc/os-release", "/proc/meminfo"):
        with pytest.raises(ProbeError, match="nothing came"):
            host.read_bytes(path)
    assert asked.read_text() == "\n"
    server.put("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    host.refresh()
    assert b"NAME=" in host.read_bytes("/etc/os-release")


def test_nothing_is_left_behind(server: Server) -> None:
    board(server).read_bytes("/etc/os-release")
    assert not list(server.home.iterdir())
    assert not list(server.folder.rglob("*.pyc"))


def test_a_jump_host(server: Server) -> None:
    assert b"NAME=" in board(server, target="behind").read_bytes("/etc/os-release")


def test_an_address_with_user_and_port(server: Server) -> None:
    import getpass

    target = f"ssh://{getpass.getuser()}@127.0.0.1:{server.port}"
    assert b"NAME=" in board(server, target=target).read_bytes("/etc/os-release")


@pytest.mark.parametrize("noise", ["Welcome to the board!\\n", "\\033[1mno newline", "memfit-0123456789abcdef\\n"])
def test_what_a_shell_prints_first_is_no_answer(server: Server, noise: str) -> None:
    server.put("python3", f"#!/bin/sh\nprintf '{noise}'\n{sys.executable} \"$@\"\nprintf 'bye\\n'\n")
    assert b"NAME=" in board(server).read_bytes("/etc/os-release")


def test_a_shell_that_prints_without_end(server: Server) -> None:
    server.put("python3", "#!/bin/sh\nexec yes\n")
    (server.bin / "yes").symlink_to("/usr/bin/yes")
    assert "prints without end" in str(refusal(board(server)))


def test_an_old_python_is_refused_with_its_version(server: Server) -> None:
    old = "import sys; sys.version_info = (3, 6, 9, 'final', 0); exec(sys.stdin.read())"
    server.put("python3", f'#!/bin/sh\nexec {sys.executable} -c "{old}"\n')
    error = refusal(board(server))
    assert isinstance(error, UnsupportedDevice)
    assert "3.6.9" in str(error)
    assert "3.8" in str(error)


def test_no_python(server: Server) -> None:
    (server.bin / "python3").unlink()
    assert "has no python3" in str(refusal(board(server)))


def test_a_login_that_starts_nothing(server: Server) -> None:
    server.put("python3", "#!/bin/sh\necho 'This account is currently not available.'\nexit 1\n")
    assert "currently not available" in str(refusal(board(server)))


def test_cut_half_way(server: Server) -> None:
    server.put("python3", f'#!/bin/sh\n{sys.executable} "$@" | /usr/bin/head -c 3000\nkill -9 $PPID\n')
    assert "cut half-way, after /" in str(refusal(board(server)))


def test_a_collector_that_is_killed(server: Server) -> None:
    server.put("python3", f'#!/bin/sh\n{sys.executable} "$@" | /usr/bin/head -c 3000\necho Killed >&2; exit 137\n')
    error = str(refusal(board(server)))
    assert "code 137" in error
    assert "(Killed)" in error


def test_silence_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_collect, "CONNECT_S", 0.5)
    server.put("python3", "#!/bin/sh\nexec /usr/bin/sleep 100\n")
    began = time.monotonic()
    assert "nothing came in 1.5 s" in str(refusal(board(server, quiet_s=1)))
    assert time.monotonic() - began < 60


def test_silence_half_way(server: Server) -> None:
    server.put("python3", f'#!/bin/sh\n{sys.executable} "$@" | /usr/bin/head -c 3000\nexec /usr/bin/sleep 100\n')
    assert "nothing more came in 1 s, the last of it /" in str(refusal(board(server, quiet_s=1)))


def test_a_slow_trickle_ends_too(server: Server) -> None:
    trickle = "while :; do printf .; /usr/bin/sleep 0.1; done"
    server.put("python3", f"#!/bin/sh\n{trickle}\n")
    host = SshHost("board", Manifest(paths=PATHS, total_s=-9.0), client=server.client)
    assert "it took longer than 1 s" in str(refusal(host))


def test_a_changed_host_key(server: Server) -> None:
    server.know("other")
    error = refusal(board(server))
    assert "host key has changed" in str(error)
    assert re.search(r"ssh-keygen .*-R .*, then log in", str(error.hint))


def test_an_unknown_host_is_not_trusted(server: Server) -> None:
    server.know(None)
    assert "host key is not known" in str(refusal(board(server)))
    assert not (server.folder / "known_hosts").read_text()


def test_a_password_is_never_asked_for(server: Server) -> None:
    server.configure(key="other")
    began = time.monotonic()
    error = refusal(board(server))
    assert "without a password" in str(error)
    assert "ssh-copy-id board" in str(error.hint)
    assert time.monotonic() - began < 60


def test_options_of_the_user_that_would_hang_or_disturb_are_set_aside(server: Server) -> None:
    server.configure(
        more="RemoteCommand /usr/bin/sleep 100\nRequestTTY force\nLocalForward 1 127.0.0.1:1\nLogLevel QUIET"
    )
    assert b"NAME=" in board(server).read_bytes("/etc/os-release")


def test_a_mistake_in_the_configuration(server: Server) -> None:
    server.configure(more="NoSuchOption yes")
    assert "nosuchoption" in str(refusal(board(server)))


def test_nobody_listens(server: Server) -> None:
    error = refusal(board(server, target=f"ssh://127.0.0.1:{free_port()}"))
    assert "nothing answers" in str(error)


def test_no_such_host(server: Server) -> None:
    assert "no such host" in str(refusal(board(server, target="no-such-host.invalid")))


def test_sudo(server: Server) -> None:
    assert "it has no sudo" in str(refusal(board(server, sudo=True)))
    server.put("sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    assert "sudo asks for a password" in str(refusal(board(server, sudo=True)))
    server.put("sudo", '#!/bin/sh\n[ "$1" = -n ] || exit 9\nshift\nexec "$@"\n')
    assert b"NAME=" in board(server, sudo=True).read_bytes("/etc/os-release")


def test_no_ssh_here() -> None:
    host = SshHost("board", Manifest(paths=PATHS), client=("/no/such/ssh",))
    with pytest.raises(ProbeError, match="there is no /no/such/ssh here"):
        host.read_bytes("/etc/os-release")


def test_what_only_root_may_read_names_the_option(server: Server) -> None:
    refused = "import os; os.lstat = lambda path: (_ for _ in ()).throw(PermissionError(13, 'no'))"
    server.put("python3", f'#!/bin/sh\nexec {sys.executable} -c "import sys; {refused}; exec(sys.stdin.read())"\n')
    with pytest.raises(NeedsRoot) as error:
        board(server).read_bytes("/etc/os-release")
    assert error.value.hint == "run again with --sudo"


def test_the_client_ends_with_the_question(server: Server) -> None:
    """Also a ssh that a jump host needs, and also where the question itself failed."""
    server.put("python3", "#!/bin/sh\nexec /usr/bin/sleep 100\n")
    host = board(server, target="behind", quiet_s=-8.0)
    refusal(host)
    left = ""
    for _ in range(100):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        left = "\n".join(line for line in listed.splitlines() if str(server.folder / "config") in line)
        if not left:
            break
        time.sleep(0.05)
    assert not left


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("orin", Target(host="orin")),
        ("me@orin", Target(host="orin", user="me")),
        ("me@lab.example@orin", Target(host="orin", user="me@lab.example")),
        ("ssh://orin", Target(host="orin")),
        ("ssh://me@orin:2222/", Target(host="orin", user="me", port=2222)),
        ("ssh://[fe80::1%eth0]:22", Target(host="fe80::1%eth0", port=22)),
        ("me@fe80::1", Target(host="fe80::1", user="me")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert "--" in target.words()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "me@",
        "@orin",
        "-oProxyCommand=touch /tmp/x",
        "me@-oProxyCommand=x",
        "-lroot@orin",
        "a b",
        "orin;reboot",
        "$(reboot)@orin",
        "orin\n",
        "ssh://",
        "ssh://me:secret@orin",
        "ssh://orin:0",
        "ssh://orin:65536",
        "ssh://orin:99999999999999999999",
        "ssh://orin:x",
        "ssh://orin/path",
    ],
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)


def test_terminal_codes_of_a_server_are_not_passed_on() -> None:
    error = before_start(Target(host="orin"), 1, "\x1b[31mred\x1b[0m \x07bell", b"")
    assert str(error) == "orin: python3 did not start there: red bell"


def test_a_recording_by_name(tmp_path: Path) -> None:
    file = tmp_path / "r.tar.gz"
    record(LocalHost(), Manifest(paths=("/etc/os-release",)), file)
    assert open_host(recorded=str(file), paths=()).read_bytes("/etc/os-release")
    with pytest.raises(UsageError, match="--host and --recorded"):
        open_host("orin", recorded=str(file), paths=())
    with pytest.raises(UsageError) as refused:
        open_host(str(file), paths=())
    assert "--recorded" in str(refused.value.hint)
    with pytest.raises(UsageError, match="--sudo"):
        open_host(sudo=True, paths=())
    with pytest.raises(UsageError, match="without a name"):
        open_host(root="", paths=())
    assert open_host(paths=()).door == "local"
    assert open_host("orin", paths=()).door == "ssh"
    assert open_host(root=str(tmp_path), paths=()).door == "rootfs"


def test_a_snapshot_is_taken_once(server: Server) -> None:
    host = board(server)
    assert take(host, Manifest(paths=())) is host.snapshot
