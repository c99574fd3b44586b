"""Names that stand where nothing but somebody's name can: of servers, of people who logged in, of networks."""

from __future__ import annotations

import json
import time

import pytest

from memfit.host._places import named, replace_named
from memfit.host.redact import redacted
from memfit.host.snapshot import Snapshot

COMMAND = "/proc/7/cmdline"


def redact(files: dict[str, str]) -> dict[str, str]:
    taken = Snapshot(name="edge-17", taken="", files={path: text.encode("latin-1") for path, text in files.items()})
    return {path: text.decode("latin-1") for path, text in redacted(taken).files.items()}


@pytest.mark.parametrize(
    ("path", "text", "after"),
    [
        ("/proc/mounts", "//vault7/films /mnt cifs rw,username=ottilie,domain=FIRM 0 0\n",
         "//host-2/films /mnt cifs rw,username=user-1,domain=user-2 0 0\n"),
        ("/proc/mounts", "vault:/export /srv nfs4 rw 0 0\n", "host-2:/export /srv nfs4 rw 0 0\n"),
        ("/proc/self/mountinfo", "31 1 0:41 / /srv rw - nfs4 vault.firm:/e rw\n",
         "31 1 0:41 / /srv rw - nfs4 host-1:/e rw\n"),
        ("/proc/cmdline", "root=/dev/nfs ip=::::jetsy:eth0:off systemd.hostname=jetsy\n",
         "root=/dev/nfs ip=::::host-2:eth0:off systemd.hostname=host-2\n"),
        ("/var/log/dmesg", "[    9.1] nfs: server vault not responding, timed out\n",
         "[    9.1] nfs: server host-2 not responding, timed out\n"),
        ("/proc/7/cgroup", "0::/lxc.payload.jetsy/system.slice/x.service\n",
         "0::/lxc.payload.host-2/system.slice/x.service\n"),
        ("/proc/7/cgroup", "0::/machine.slice/systemd-nspawn@jetsy.service/payload\n",
         "0::/machine.slice/systemd-nspawn@host-2.service/payload\n"),
        (COMMAND, "sshd: ottilie [priv]\0", "sshd: user-1 [priv]\0"),
        (COMMAND, "su\0-\0ottilie\0", "su\0-\0user-1\0"),
        (COMMAND, "sudo\0-E\0-u\0ottilie\0run\0", "sudo\0-E\0-u\0user-1\0run\0"),
        (COMMAND, "agent\0--base-url\0http://jetsy.lan:8000/v1\0", "agent\0--base-url\0http://host-1:8000/v1\0"),
        (COMMAND, "agent\0--master-addr\0nodeseven\0", "agent\0--master-addr\0host-2\0"),
        (COMMAND, "env\0MASTER_ADDR=nodeseven\0", "env\0MASTER_ADDR=host-2\0"),
        (COMMAND, "agent\0--to=orin7.local\0", "agent\0--to=host-1\0"),
        (COMMAND, "ssh\0-N\0-L\x0080:web:80\0gate\0", "ssh\0-N\0-L\x0080:web:80\0host-2\0"),
        (COMMAND, "rsync\0-a\0gate.firm.com:/x\0/y\0", "rsync\0-a\0host-1:/x\0/y\0"),
        (COMMAND, "docker\0run\0--name\0ottilies-vllm\0vllm\0", "docker\0run\0--name\0host-1\0vllm\0"),
        (COMMAND, "hostapd_cli\0ssid=Villa Ottilie\0", "hostapd_cli\0ssid=network-1\0"),
    ],
)  # fmt: skip
def test_where_only_a_name_can_stand(path: str, text: str, after: str) -> None:
    told = redact({path: text})[path]
    numbers = {"host-1": "host-N", "host-2": "host-N"}  # whichever is met first, the machine's own name or this
    for number, any_number in numbers.items():
        told, after = told.replace(number, any_number), after.replace(number, any_number)
    assert told == after


@pytest.mark.parametrize(
    "text",
    [
        "llama-server\0--host\x000.0.0.0\0--port\x008080\0",
        "agent\0--base-url\0http://localhost:8000/v1\0",
        "agent\0--base-url\0http://ollama:11434\0",
        "containerd-shim\0-address\0/run/containerd/containerd.sock\0",
        "dbus-daemon\0--address=unix:path=/run/x\0",
        "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0",
        "python3\0-m\0vllm.entrypoints.openai.api_server\0--max-model-len\x008192\0",
        "su\0-c\0run\0",
        "bash\0-c\0. ./.env.local; . /opt/app/.local/x\0",
    ],
)
def test_what_names_no_machine_stays(text: str) -> None:
    assert redact({COMMAND: text})[COMMAND] == text


def test_the_same_name_is_the_same_wherever_it_stands() -> None:
    told = redact(
        {
            "/proc/8/cmdline": "sshd: ottilie [priv]\0",
            "/proc/9/cmdline": "sshd: ottilie@notty\0",
            "/proc/mounts": "vault7.lan:/export /srv/ottilie nfs4 rw 0 0\n",
            "/dev/kmsg": "6,5,1,-;NFS: server vault7.lan not responding\n",
        }
    )
    (server,) = {word.split(":")[0] for word in told["/proc/mounts"].split()[:1]}
    assert told["/proc/8/cmdline"].startswith("sshd: user-1 ")
    assert told["/proc/9/cmdline"].startswith("sshd: user-1@")
    assert "/srv/user-1 " in told["/proc/mounts"]
    assert f"server {server} not" in told["/dev/kmsg"]


def test_what_programs_wrote_into_the_kernels_log_is_left_out() -> None:
    kernel = "6,1,0,-;Memory: 1K/2K available\n SUBSYSTEM=x\n4,7,0,-;cma: Reserved 256 MiB\n"
    others = "30,3,1,-;systemd[1]: Hostname set to <jetsy>.\n DEVICE=x\n14,4,1,-;sudo: ottilie\n"
    assert redact({"/dev/kmsg": others + kernel + others})["/dev/kmsg"] == kernel
    line = "[    0.000000] Memory: 1K/2K available\n"
    said = "[    5.100000] systemd[1]: Hostname set to <jetsy>.\n"
    assert redact({"/var/log/dmesg": line + said})["/var/log/dmesg"] == line


def test_of_dockers_settings_the_runtime_is_left() -> None:
    path = "/etc/docker/daemon.json"
    settings = {"default-runtime": "nvidia", "labels": ["owner=ottilie"], "insecure-registries": ["vault7:5000"]}
    assert json.loads(redact({path: json.dumps(settings)})[path]) == {"default-runtime": "nvidia"}
    assert json.loads(redact({path: "no JSON"})[path]) == {}


def test_a_common_word_is_replaced_there_and_not_everywhere() -> None:
    text = "agent\0--url\0http://web:80\0"
    assert not list(named(COMMAND, text))
    assert set(named(COMMAND, text.replace("web", "web-3"))) == {("host", "web-3")}
    assert set(named(COMMAND, text.replace("web", "code.firm.com"))) == {("host", "code.firm.com")}
    assert set(named(COMMAND, text.replace("web", "web3.firm.com"))) == {("host", "web3.firm.com"), ("host", "web3")}


def test_makers_of_software_stay() -> None:
    text = 'NAME="Debian GNU/Linux"\nHOME_URL="https://www.gnu.org/"\n'
    told = redact({"/usr/lib/os-release": text, COMMAND: "fetch\0https://gnu.firm.com/x\0GNU\0"})
    assert told["/usr/lib/os-release"] == text
    assert told[COMMAND].endswith("/x\0GNU\0")


@pytest.mark.parametrize(
    "text", ["a." * 200_000, "-" * 200_000, "su " + "- " * 200_000, "ip=" + ":" * 200_000, "ssh\0" + "a\0" * 50_000]
)
@pytest.mark.parametrize("path", [COMMAND, "/proc/mounts", "/proc/7/cgroup", "/dev/kmsg"])
def test_long_texts_take_no_long_time(path: str, text: str) -> None:
    began = time.monotonic()
    replace_named(path, text, lambda kind, name: name)
    assert time.monotonic() - began < 5


def test_a_log_that_names_thousands_of_servers_is_redacted_in_reasonable_time() -> None:
    lines = [f"Jan  2 03:04:05 edge-17 kernel: nfs: server box{number}.lan not responding" for number in range(3000)]
    began = time.monotonic()
    told = redact({"/var/log/syslog": "\n".join(lines)})["/var/log/syslog"]
    assert time.monotonic() - began < 20
    assert "box" not in told
