"""A redacted recording tells a machine's memory and nobody's name."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from memfit.device.meminfo import parse_meminfo
from memfit.host import Disk, LocalHost, Manifest
from memfit.host._dmi import without_serials
from memfit.host._identities import find_identities
from memfit.host._secrets import without_secrets
from memfit.host.record import record
from memfit.host.recorded import RecordedHost
from memfit.host.redact import Redactor, redacted
from memfit.host.snapshot import Snapshot

DATA = Path(__file__).parents[3] / "shared" / "data" / "devices"
HOME = f"/home/{'marlene'}"
KERNEL_LINE = b"console=ttyTCU0,115200 root=PARTUUID=%s rw androidboot.serialno=%s ip=%s:::::eth0 video=efifb:off\n"


def snapshot(name: str = "edge-17", **files: bytes) -> Snapshot:
    named = {
        "/" + path.replace("__", "/").replace("_DOT_", ".").replace("_DASH_", "-"): text for path, text in files.items()
    }
    return Snapshot(name=name, taken="2026-01-01T00:00:00+00:00", files=named)


def text_of(taken: Snapshot) -> bytes:
    """All bytes of a snapshot that anybody could read."""
    parts: list[bytes] = [taken.name.encode()]
    for path, content in taken.files.items():
        parts += [os.fsencode(path), content]
    for folder, names in taken.folders.items():
        parts += [os.fsencode(folder), *map(os.fsencode, names)]
    for table in (taken.links, taken.refused):
        for path, value in table.items():
            parts += [os.fsencode(path), os.fsencode(value)]
    parts += map(os.fsencode, (*taken.disks, *taken.cut))
    return b"\n".join(parts)


def redact_text(text: str, path: str = "/var/log/syslog") -> str:
    taken = redacted(Snapshot(name="edge-17", taken="", files={path: text.encode("latin-1")}))
    return next(iter(taken.files.values())).decode("latin-1")


def test_a_whole_machine() -> None:
    machine_id, boot_uuid = b"0123456789abcdef0123456789abcdef", b"1c3b7f2e-9a51-4a57-9f6e-2f6f0f2b6a11"
    serial, address = b"1421223012345", b"48:b0:2d:5c:11:9e"
    taken = Snapshot(
        name="edge-17",
        taken="2026-01-01T00:00:00+00:00",
        files={
            "/etc/hostname": b"edge-17\n",
            "/etc/hosts": b"127.0.0.1 localhost\n127.0.1.1 edge-17.lab.example edge-17\n"
            b"10.1.2.3 fileserver\n::1 ip6-localhost\n",
            "/etc/passwd": b"root:x:0:0:root:/root:/bin/bash\nmarlene:x:1000:1000:M,,,:%s:/bin/bash\n" % HOME.encode(),
            "/etc/machine-id": machine_id + b"\n",
            "/proc/device-tree/serial-number": serial + b"\0",
            "/proc/device-tree/model": b"NVIDIA Jetson Orin Nano Developer Kit\0",
            "/proc/device-tree/chosen/nvidia,ether-mac": b"48:B0:2D:5C:11:9E\0",
            "/proc/device-tree/ethernet@2310000/local-mac-address": b"\x48\xb0\x2d\x5c\x11\x9e",
            "/sys/class/net/eth0/address": address + b"\n",
            "/proc/cmdline": KERNEL_LINE % (boot_uuid, serial, b"192.168.7.20"),
            "/proc/meminfo": b"MemTotal: 7802736 kB\n",
            "/proc/812/cmdline": b"llama-server\0-m\0%s/models/Qwen3-4B-Q4_K_M.gguf\0" % HOME.encode()
            + b"--api-key\0hunter2\0-c\x008192\0",
            "/proc/813/cmdline": b"python3\0-m\0vllm\0--max-num-batched-tokens\x004096\0--tokenizer\0Qwen/Qwen3-4B\0",
            "/proc/814/cmdline": b"sh\0-c\0HF_TOKEN=hf_abcdefghijklmnopqrstuvwx exec run\0",
            "/proc/815/cmdline": b"wget\0https://bot:s3cr3t@artifacts.lab.example/x\0",
            "/proc/812/cgroup": b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/llama.service\n",
            "/var/log/syslog": b"Jan  2 03:04:05 edge-17 sshd[1]: Accepted publickey for marlene from 10.9.8.7 port 1\n"
            b"Jan  2 03:04:06 edge-17 kernel: usb 1-2: SerialNumber: 0A1B2C3D4E5F\n"
            b"Jan  2 03:04:06 edge-17 kernel: Memory: 7802736K/8133248K available\n",
            "/proc/version": b"Linux version 5.15.148-tegra (buildbrain@mobile-u64-6336-d8000) (aarch64)\n",
        },
        folders={"/home": ("marlene", "lost+found"), "/sys/class/net": ("eth0", "enx48b02d5c119e", "lo")},
        links={f"{HOME}/model": "/media/marlene/stick/model.gguf"},
        refused={"/proc/812/smaps_rollup": "permission"},
        disks={"/": Disk(total_bytes=1, free_bytes=1), "/media/marlene/stick": Disk(total_bytes=2, free_bytes=1)},
    )
    known = (
        b"edge-17", b"fileserver", b"marlene", machine_id, serial, address, b"48b02d5c119e", boot_uuid, b"10.1.2.3",
        b"192.168.7.20", b"10.9.8.7", b"hunter2", b"hf_abc", b"s3cr3t", b"0A1B2C3D4E5F", b"\x48\xb0\x2d\x5c\x11\x9e",
        b"buildbrain", b"lab.example",
    )  # fmt: skip
    assert all(secret.lower() in text_of(taken).lower() for secret in known if secret != b"buildbrain")
    after = redacted(taken)
    for secret in known:
        assert secret.lower() not in text_of(after).lower(), secret
    files = after.files
    # what an audit reads is as it was
    for path in ("/proc/meminfo", "/proc/812/cgroup", "/proc/813/cmdline", "/proc/device-tree/model"):
        assert files[path] == taken.files[path], path
    assert b"Qwen3-4B-Q4_K_M.gguf" in files["/proc/812/cmdline"]
    assert files["/proc/812/cmdline"].split(b"\0")[-3:] == [b"-c", b"8192", b""]
    assert b"Memory: 7802736K/8133248K available" in files["/var/log/syslog"]
    assert b"Linux version 5.15.148-tegra (" in files["/proc/version"]
    assert files["/etc/hosts"].startswith(b"127.0.0.1 localhost\n127.0.1.1 ")
    assert b"root=PARTUUID=00000000-0000-4000-8000-0000000000" in files["/proc/cmdline"]
    # the same is replaced by the same, in the same form
    number = files["/proc/device-tree/serial-number"]
    assert re.fullmatch(rb"\d{13}\0", number)
    assert b"serialno=" + number[:-1] in files["/proc/cmdline"]
    name = after.name.encode()
    assert files["/etc/hostname"] == name + b"\n"
    assert files["/var/log/syslog"].count(name) == 2
    assert b"sshd" not in files["/var/log/syslog"]  # what is not of the kernel is left out
    assert re.fullmatch(rb"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\n", files["/sys/class/net/eth0/address"])
    assert (
        files["/proc/device-tree/chosen/nvidia,ether-mac"].strip(b"\0") == files["/sys/class/net/eth0/address"].strip()
    )
    assert re.fullmatch(rb"[0-9a-f]{32}\n", files["/etc/machine-id"])
    user = after.folders["/home"][1]
    assert f"/home/{user}/models/".encode() in files["/proc/812/cmdline"]
    assert after.links == {f"/home/{user}/model": f"/media/{user}/stick/model.gguf"}
    assert set(after.disks) == {"/", f"/media/{user}/stick"}


def test_it_is_a_pure_function() -> None:
    taken = snapshot(etc__hostname=b"edge-17\n", var__log__syslog=b"10.1.2.3 and fe80::1 and 10.1.2.3")
    assert redacted(taken) == redacted(taken)
    assert taken.files["/etc/hostname"] == b"edge-17\n"


# --- planted anywhere

BEFORE = st.sampled_from(
    ["", " ", "=", "'", '"', "(", "[", ",", "addr=", "from ", "\n", "\t", "://", "/", ";", "<", "\0", "|"]
)
AFTER = st.sampled_from(["", " ", "'", '"', ")", "]", ",", "\n", "/", ";", ">", "\0", " port 22", "|", "\t"])
PATHS = st.sampled_from(
    ["/var/log/syslog", "/var/log/dmesg", "/proc/5/cmdline", "/proc/cmdline", "/etc/fstab", "/dev/kmsg", "/proc/mounts"]
)


def survives(secret: str, text: str, path: str, name: str = "edge-17") -> bool:
    taken = Snapshot(name=name, taken="", files={path: text.encode("latin-1", "replace")})
    return secret.lower().encode("latin-1", "replace") in text_of(redacted(taken)).lower()


@settings(max_examples=300, deadline=None)
@given(
    address=st.ip_addresses(v=4),
    before=BEFORE,
    after=st.one_of(AFTER, st.sampled_from([":8080", "/24", ".", "-x"])),
    path=PATHS,
)
def test_no_ipv4_address_survives(address: IPv4Address, before: str, after: str, path: str) -> None:
    assume(not address.is_loopback and address.packed[0] not in (0, 198, 255))
    assert not survives(str(address), f"x{before}{address}{after}y", path)


@settings(max_examples=300, deadline=None)
@given(
    address=st.ip_addresses(v=6),
    form=st.sampled_from(["compressed", "exploded"]),
    before=BEFORE,
    after=st.one_of(AFTER, st.sampled_from(["]:8080", "/64", "%eth0"])),
    path=PATHS,
)
@example(address=IPv6Address("fe80::1"), form="compressed", before="addr:", after="/64", path="/var/log/syslog")
@example(address=IPv6Address("1:2:3:4:5:6:7::"), form="compressed", before="", after="", path="/var/log/syslog")
def test_no_ipv6_address_survives(address: IPv6Address, form: str, before: str, after: str, path: str) -> None:
    assume(not address.is_loopback and not address.is_unspecified and not str(address).startswith("2001:db8::"))
    text = str(getattr(address, form))
    assert not survives(text, f"x {before}{text}{after} y", path)


@settings(max_examples=300, deadline=None)
@given(
    octets=st.binary(min_size=6, max_size=6),
    mark=st.sampled_from(":-_"),
    upper=st.booleans(),
    before=BEFORE,
    after=AFTER,
    path=PATHS,
)
def test_no_hardware_address_survives(
    octets: bytes, mark: str, upper: bool, before: str, after: str, path: str
) -> None:
    assume(octets[0] != 2 and octets not in (bytes(6), b"\xff" * 6))
    text = octets.hex(mark)
    text = text.upper() if upper else text
    assert not survives(text, f"z {before}{text}{after}z", path)


@settings(max_examples=200, deadline=None)
@given(uuid=st.uuids(version=4), before=BEFORE, after=AFTER, path=PATHS)
def test_no_uuid_survives(uuid: object, before: str, after: str, path: str) -> None:
    assert not survives(str(uuid), f"z{before or ' '}{uuid}{after}z", path)


NAME = st.from_regex(r"[a-z][a-z0-9]{2,10}(-[a-z0-9]{1,6})?", fullmatch=True)


def common(name: str, *around: str) -> bool:
    """Whether a name is a word that stays, or a part of what the test writes around it."""
    return not find_identities(name, {}).hosts or any(name in text for text in (*around, "redacted", "host-", "user-"))


@settings(max_examples=300, deadline=None)
@given(name=NAME, before=BEFORE, after=AFTER, upper=st.booleans(), path=PATHS)
def test_no_host_name_survives(name: str, before: str, after: str, upper: bool, path: str) -> None:
    assume(not common(name, path, before, after, "lab", "root"))
    text = name.upper() if upper else name
    assert not survives(name, f"# {before}{text}{after} {text}.lab # root@{text}: -- {text}", path, name=name)


@settings(max_examples=300, deadline=None)
@given(
    name=NAME,
    home=st.sampled_from(
        ["/home/{}/models", "/home/{}", "/var/home/{}/x", "/Users/{}/x", "/run/media/{}/stick", "/media/{}/stick"]
    ),
    before=st.sampled_from(["", " ", "=", "'", '"', "file://", ":", "\0", "-m ", "("]),
    after=st.sampled_from(["", " ", "'", '"', "\0", "/m.gguf", ")", ":rw"]),
    path=PATHS,
)
def test_no_user_of_a_home_folder_survives(name: str, home: str, before: str, after: str, path: str) -> None:
    assume(not common(name, path, home, before, after, "edge-17"))
    assert not survives(name, f"#{before}{home.format(name)}{after}", path)


SECRET = st.from_regex(r"[A-Za-z0-9!#%^*+._/-]{6,24}", fullmatch=True).filter(lambda text: not text.startswith("-"))
OPTIONS = st.sampled_from(
    [
        "--api-key {}",
        "--api-key={}",
        "--token {}",
        "--hf-token={}",
        "--password={}",
        "--db-password {}",
        "API_KEY={}",
        "HF_TOKEN={}",
        "AWS_SECRET_ACCESS_KEY={}",
        '--header "X-Auth-Token: {}"',
        "--client-secret={}",
        "PGPASSWORD={}",
        "accessToken={}",
        "--auth {}",
        "Authorization: Bearer {}",
        "https://me:{}@example.org/x",
        "postgres://me:{}@db/x",
        "?access_token={}",
        '{{"password": "{}"}}',
        "Cookie: session={}",
    ]
)


@settings(max_examples=400, deadline=None)
@given(secret=SECRET, option=OPTIONS, path=PATHS)
def test_no_secret_of_a_command_line_survives(secret: str, option: str, path: str) -> None:
    text = option.format(secret)
    assume("://" not in option or "/" not in secret)  # such a password must be written %2F
    assume(text.count(secret) == 1 and secret.lower() not in "redacted")
    words = text.replace(" ", "\0") if path.endswith("/cmdline") and " " in text and text.startswith("--") else text
    assert not survives(secret, f"run {words}", path)
    assert not survives(secret, f"run\0{words}\0--next\x001\0", "/proc/5/cmdline")


@pytest.mark.parametrize(
    "token",
    [
        "hf_AbCdEfGhIjKlMnOpQrStUvWx",
        "ghp_0123456789abcdefABCDEF",
        "github_pat_11ABCDEFG0123456789_x",
        "sk-proj-0123456789abcdef",
        "nvapi-0123456789abcdef0123",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
        "glpat-0123456789abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
        "A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8",
    ],
)
def test_tokens_are_known_by_their_form(token: str) -> None:
    for text in (f"run\0{token}\0", f"a\0--x={token}\0", f"run '{token}'"):
        assert token not in without_secrets(text, command_line=True)


@pytest.mark.parametrize(
    "text",
    [
        "llama-server\0-m\0/models/Qwen3-4B-Instruct-2507-Q4_K_M.gguf\0-c\x008192\0--cache-type-k\0q8_0\0--keep\0-1\0",
        "python3\0-m\0vllm.entrypoints.openai.api_server\0--max-num-batched-tokens\x008192\0--tokenizer\0x/y\0",
        "/usr/lib/snapd/snapd\0",
        "tritonserver\0--model-repository=/models\0",
        "/usr/bin/dbus-daemon\0--session\0--nofork\0",
        "docker\0run\0-p\x008080:80\0nvcr.io/nvidia/l4t-base:r36.2.0\0",
        "/usr/bin/gnome-session\0",
    ],
)
def test_command_lines_without_secrets_stay(text: str) -> None:
    assert redact_text(text, "/proc/7/cmdline") == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/usr/local/cuda/version.json", '{"libcublas": {"version": "12.6.1.4"}}'),
        (
            "/var/lib/dpkg/status",
            "Package: tensorrt\nVersion: 10.3.0.30-1+cuda12.5\nDepends: libnvinfer10 (= 10.3.0.30)\n",
        ),
        ("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.4, GCID: 41062509, BOARD: generic, EABI: aarch64\n"),
        (
            "/var/log/dmesg",
            "[    0.000000] OF: reserved mem: 0x1-0x2 (1 KiB) map reusable linux,cma\n[ 12:34:56] a:\n",
        ),
        (
            "/var/log/dmesg",
            "tegra-i2c 3160000.i2c: fb0_carveout@0 cpu@a i2c@c pci 0001:01:00.0 [10de:229c] 127.0.0.1 ::1\n",
        ),
        (
            "/proc/mounts",
            "/dev/nvme0n1p1 / ext4 rw,relatime 0 0\noverlay /var/lib/docker/overlay2/" + "a1" * 32 + " x\n",
        ),
        ("/proc/7/cgroup", "0::/system.slice/docker-" + "0f" * 32 + ".scope\n"),
        (
            "/etc/nvpmodel.conf",
            "< POWER_MODEL ID=1 NAME=25W >\nCPU_A78_0 MAX_FREQ 1344000\n<PARAM TYPE=FILE NAME=FBP>\n",
        ),
        ("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd42\n"),
        ("/sys/firmware/efi/x", "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c\n"),
    ],
)
def test_what_identifies_nobody_stays(path: str, text: str) -> None:
    assert redact_text(text, path) == text


def test_names_of_libraries_and_variables_stay() -> None:
    names = ("libcudnn.so.8.9.4.25", "libnvinfer.so.10.3.0.30", "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
    taken = redacted(Snapshot(name="edge-17", taken="", folders={"/x": names}, links={"/x/libcudnn.so": names[0]}))
    assert taken.folders["/x"] == tuple(sorted(names))
    assert taken.links["/x/libcudnn.so"] == names[0]


def test_names_that_many_machines_have_leave_words_alone() -> None:
    taken = Snapshot(
        name="ubuntu",
        taken="",
        files={
            "/etc/hostname": b"ubuntu\n",
            "/etc/os-release": b"ID=ubuntu\n",
            "/proc/1/cmdline": b"bash\0nvidia@ubuntu\0/home/%s/x\0nvidia-smi\0" % b"nvidia",
        },
    )
    after = redacted(taken)
    assert after.files["/etc/os-release"] == b"ID=ubuntu\n"
    assert b"ubuntu" not in after.files["/etc/hostname"]
    assert b"nvidia@" not in after.files["/proc/1/cmdline"]
    assert b"/home/%s/" % b"nvidia" not in after.files["/proc/1/cmdline"]
    assert b"nvidia-smi" in after.files["/proc/1/cmdline"]


def test_a_placeholder_is_nobodys_name() -> None:
    taken = Snapshot(
        name="host-1", taken="", files={"/etc/hosts": b"10.0.0.1 host-2 host-1\n", "/x": b"/home/%s/x" % b"user-1"}
    )
    assert not {b"host-1", b"host-2", b"user-1"} & set(re.findall(rb"[a-z]+-\d+", text_of(redacted(taken))))


def test_what_cannot_be_searched_is_left_out() -> None:
    taken = redacted(
        Snapshot(name="x", taken="", files={"/var/log/kern.log.1.gz": b"\x1f\x8bedge-17", "/b": b"SQLite format 3"})
    )
    assert not taken.files
    assert taken.refused == dict.fromkeys(("/b", "/var/log/kern.log.1.gz"), "left out: it cannot be redacted")


def test_any_bytes_come_through() -> None:
    every = bytes(range(256)) * 3
    assert redacted(Snapshot(name="x", taken="", files={"/any": every})).files["/any"] == every
    name = os.fsdecode(b"/caf\xe9")
    assert redacted(Snapshot(name="x", taken="", files={name: b""})).files == {name: b""}


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="abcdef0123456789:.-@/= \n\0_\"'", max_size=400), path=PATHS)
def test_nothing_makes_it_fail_or_hang(text: str, path: str) -> None:
    redact_text(text, path)


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "key" * 70_000, "1." * 100_000, "a:" * 100_000, "-" * 200_000, "a@" * 100_000, "/home" * 40_000],
)
def test_long_lines_take_no_long_time(text: str) -> None:
    redact_text(text)  # a pattern that tries everything twice would take hours


def test_a_recording_says_that_it_is_redacted(tmp_path: Path) -> None:
    manifest = Manifest(paths=("/etc/hostname", "/proc/meminfo", "/proc/[0-9]*/cmdline", "/proc/self/mounts"))
    record(LocalHost(), manifest, tmp_path / "r.tar.gz", redact=True)
    host = RecordedHost(tmp_path / "r.tar.gz")
    assert host.redacted
    assert re.fullmatch(r"host-\d+", host.name)
    assert parse_meminfo(host.read_bytes("/proc/meminfo").decode())["MemTotal"] > 0


@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here")
def test_logs_of_real_devices_keep_their_figures() -> None:
    """What stands in a line about memory stays; nothing that looks like an address does."""
    redactor = Redactor(find_identities("edge-17", {}))
    seen = 0
    for path in sorted(DATA.glob("*/*.txt")):
        content = path.read_bytes()
        after = redactor.content(f"/var/log/{path.name}", content)
        if path.parent.name in ("dmesg", "meminfo", "tegrastats", "nvmap"):
            lines = zip(content.splitlines(), after.splitlines(), strict=True)
            for before, line in lines:
                if re.search(rb"Memory:|kB|KiB|reserved mem|RAM \d|System RAM|\d+K\b", before) and b"@" not in before:
                    assert line == before
                    seen += 1
    assert seen > 50


def structure(kind: int, numbers: bytes, *texts: bytes) -> bytes:
    """One of SMBIOS."""
    return bytes((kind, 4 + len(numbers), 0, 0)) + numbers + (b"\0".join(texts) + b"\0\0" if texts else b"\0\0")


def test_tables_of_the_firmware_keep_numbers_and_lose_serials() -> None:
    uuid = bytes(range(16, 32))
    system = structure(1, bytes((1, 2, 0, 3)) + uuid + bytes((6, 0, 0)), b"Maker", b"Board", b"SERIAL123")
    size = (8192).to_bytes(2, "little")
    module = structure(17, bytes(8) + size + bytes(9) + bytes((1, 2, 3, 0)), b"Samsung", b"0x55AA", b"TAG-77")
    bare = structure(19, bytes(11))
    other = structure(11, b"\1", b"owner@edge-17")
    table = system + module + bare + other + structure(127, b"")
    after = redacted(Snapshot(name="edge-17", taken="", files={"/sys/firmware/dmi/tables/DMI": table})).files
    (told,) = after.values()
    assert len(told) == len(table)
    for secret in (uuid, b"SERIAL123", b"0x55AA", b"TAG-77", b"owner", b"edge-17"):
        assert secret in table
        assert secret not in told
    for kept in (b"Maker\0Board\0xxxxxxxxx", b"Samsung\0xxxxxx\0xxxxxx", size, bare, structure(127, b"")):
        assert kept in told


@settings(max_examples=300, deadline=None)
@given(table=st.binary(max_size=300))
def test_damaged_tables_of_the_firmware(table: bytes) -> None:
    assert len(without_serials(table)) == len(table)


def test_what_other_programs_logged_is_left_out() -> None:
    text = (
        "Jan  2 03:04:05 edge-17 kernel: Memory: 1K/2K available\n"
        "Jan  2 03:04:05 edge-17 CRON[7]: (somebody) CMD (/opt/diary.sh)\n"
        "2026-01-02T03:04:05.123456+01:00 edge-17 kernel: cma: Reserved 256 MiB\n"
        "2026-01-02T03:04:05.123456+01:00 edge-17 mosquitto: New connection of grandmother\n"
        "[    0.000000] Memory: 3K/4K available\n"
    )
    told = redact_text(text)
    kept = [line for line in text.splitlines() if " kernel: " in line or line.startswith("[")]
    assert told.splitlines() == [line.replace("edge-17", "host-1") for line in kept]


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        ("camera\0--serial\x001422921234567\0", "1422921234567"),
        ("camera\0--serial-number AB12-3456\0", "AB12-3456"),
        ("agent\0--host=jetsy.example.com\0", "jetsy"),
        ("agent\0--hostname\0jetsy\0", "jetsy"),
        ("env\0HOSTNAME=orinbox\0agent\0", "orinbox"),
        ("bridge\0mac=48b02d112233\0", "48b02d112233"),
    ],
)
def test_what_the_options_of_a_command_name(words: str, secret: str) -> None:
    after = redact_text(words, "/proc/7/cmdline")
    assert secret not in after
    assert after.startswith(words.partition("\0")[0])


def test_the_address_that_a_server_listens_on_is_no_name() -> None:
    assert "--host" in redact_text("llama-server\0--host\x000.0.0.0\0", "/proc/7/cmdline")
    assert "--host\0localhost" in redact_text("llama-server\0--host\0localhost\0", "/proc/7/cmdline")
