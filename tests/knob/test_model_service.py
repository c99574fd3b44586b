"""Knobs of the service that runs the model: how it dies, where it runs, with how many threads."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from memfit.device.audit import audit
from memfit.device.audit_records import Audit
from memfit.errors import ApplyError, UnknownName, UsageError
from memfit.host.rootfs import RootfsHost
from memfit.host.snapshot import SnapshotHost
from memfit.knob import Offer, Wish, offers
from memfit.knob._cores import format_list, parse_list
from memfit.knob._drop_ins import drop_in_changes
from memfit.knob.changes import FileChange
from memfit.knob.combine import changes_of
from memfit.units import GIB, KIB
from small_image import make_image
from whole_machine import machine

UNITS = "/usr/lib/systemd/system"
CPU = "/sys/devices/system/cpu"
DROP_IN = "/etc/systemd/system/llama.service.d/60-memfit.conf"
SIX: dict[str, str | bytes] = {f"{CPU}/online": "0-5\n"}


def process(
    pid: int = 4242, unit: str = "/system.slice/llama.service", *, threads: int = 6, rss: int = 3 * GIB
) -> dict[str, str | bytes]:
    folder = f"/proc/{pid}"
    size = rss // KIB
    return {
        f"{folder}/stat": f"{pid} (llama-server) S 1 {pid} {pid} 0 -1 4194560 0 0 0 0 200 200 0 0 20 0 {threads} 0 900 "
        f"{rss} {rss // 4096} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        f"{folder}/cmdline": "/usr/bin/llama-server\0-m\0model.gguf\0",
        f"{folder}/cgroup": f"0::{unit}\n",
        f"{folder}/smaps_rollup": f"0-1 ---p 0 00:00 0 [rollup]\nRss: {size} kB\nPss: {size} kB\nPss_Anon: {size} kB\n"
        f"Private_Dirty: {size} kB\nAnonymous: {size} kB\n",
        f"{folder}/oom_score_adj": "0\n",
        f"{folder}/status": "Name:\tllama-server\nCpus_allowed_list:\t0-5\n",
        **({f"{UNITS}/{unit.rpartition('/')[2]}": b"[Service]\n"} if unit.endswith(".service") else {}),
    }


def serving(*processes: dict[str, str | bytes]) -> tuple[SnapshotHost, Audit]:
    files = {**SIX, **{path: text for one in processes for path, text in one.items()}}
    held = machine(files)[0].snapshot
    pids = {path.split("/")[2] for path in files if path.startswith("/proc/")}
    folders = {**held.folders, "/proc": tuple({*held.folders["/proc"], *pids})}
    host = SnapshotHost(msgspec.structs.replace(held, folders=folders))
    return host, audit(host)


def asked(name: str, value: str = "", *processes: dict[str, str | bytes]) -> Offer:
    (offer,) = offers(*serving(*(processes or (process(),))), names=[name], wishes={name: Wish(value=value)})
    return offer


@pytest.mark.parametrize("name", ["oom_policy", "cpu_affinity", "threads"])
def test_which_service_is_meant(name: str) -> None:
    value = "1-5" if name == "cpu_affinity" else ""
    none = asked(name, value, {})
    assert "no service that runs a model was found" in none.effect.reason
    two = asked(name, value, process(), process(4243, "/system.slice/vllm.service"))
    assert "several services run models (llama.service, vllm.service)" in two.effect.reason
    loose = asked(name, value, process(unit="/user.slice/user-1000.slice/session-2.scope"))
    assert "no service runs them" in loose.effect.reason
    for offer in (none, two, loose):
        assert f"--knob {name}=UNIT" in offer.effect.reason
        assert not offer.lines


def image(folder: Path, **units: str) -> Path:
    """The top of one that starts these services at a boot, each with its command."""
    root = make_image(folder)
    for name, command in units.items():
        unit = f"{name}.service"
        (root / UNITS.lstrip("/") / unit).write_text(f"[Service]\nExecStart={command}\n")
        (root / "etc/systemd/system/multi-user.target.wants" / unit).symlink_to(f"{UNITS}/{unit}")
    return root


def of_image(root: Path, name: str, value: str = "") -> Offer:
    host = RootfsHost(root)
    (offer,) = offers(host, audit(host), names=[name], wishes={name: Wish(value=value)})
    return offer


@pytest.mark.parametrize(
    ("command", "serves"),
    [
        ("/usr/local/bin/llama-server -m /m.gguf --port 8080", True),
        ("-@/opt/llama-server \\\n  -m /m.gguf", True),
        ("/usr/bin/python3 -m vllm.entrypoints.openai.api_server --model x", True),
        ("/usr/bin/env HF_HOME=/m /opt/venv/bin/python /opt/venv/bin/vllm serve x", True),
        ("/bin/sh -c 'cd /m && exec ollama serve'", True),
        ('/bin/bash -c "sleep 5; trtllm-serve x"', True),
        ("/usr/bin/llamafile-helper", False),
        ("/bin/echo llama-server", False),
        ("/opt/start.sh", False),
        ("/bin/sh -c 'an open quote", False),
        ("/usr/bin/llama-server\nExecStart=\nExecStart=/bin/true", False),
        ("", False),
    ],
)
def test_an_image_says_by_its_units_what_serves(command: str, serves: bool, tmp_path: Path) -> None:
    offer = of_image(image(tmp_path, model=command), "oom_policy")
    if serves:
        assert offer.lines["model.service"]["OOMScoreAdjust"] == ("OOMScoreAdjust=-500",)
        assert "whenever model.service is started" in offer.effect.cost
    else:
        assert "no unit that a boot starts has a command known to serve models" in offer.effect.reason
        assert "--knob oom_policy=UNIT names it" in offer.effect.reason


def test_of_an_image_only_what_a_boot_starts_counts(tmp_path: Path) -> None:
    root = image(tmp_path, llama="/usr/bin/llama-server", vllm="/usr/bin/vllm serve", ssh_model="/usr/bin/ollama")
    system = root / "etc/systemd/system"
    assert "several services run models (llama.service, vllm.service)" in of_image(root, "oom_policy").effect.reason
    (system / "vllm.service").symlink_to("/dev/null")
    assert of_image(root, "oom_policy").lines.keys() == {"llama.service"}
    with pytest.raises(UsageError, match=r"vllm\.service is masked"):
        of_image(root, "threads", "vllm:4")
    (system / "multi-user.target.wants/llama.service").unlink()
    assert "no unit that a boot starts" in of_image(root, "oom_policy").effect.reason
    assert of_image(root, "oom_policy", "llama").lines.keys() == {"llama.service"}  # somebody knows better
    (root / UNITS.lstrip("/") / "gguf@.service").write_text("[Service]\nExecStart=/usr/bin/llama-server -m %i\n")
    (system / "multi-user.target.wants/gguf@small.service").symlink_to(f"{UNITS}/gguf@.service")
    assert of_image(root, "threads", "3").lines.keys() == {"gguf@small.service"}
    (system / "gguf@small.service.d").mkdir()
    (system / "gguf@small.service.d/own.conf").write_text("[Service]\nExecStart=\nExecStart=/opt/start.sh\n")
    assert "no unit that a boot starts" in of_image(root, "threads", "3").effect.reason
    with pytest.raises(UnknownName):
        of_image(root, "threads", "nothing.service:3")


def test_an_image_says_nothing_of_cpus(tmp_path: Path) -> None:
    root = image(tmp_path, llama="/usr/bin/llama-server")
    for name in ("threads", "cpu_affinity"):
        assert f"--knob {name}=" in of_image(root, name).effect.reason
        assert not of_image(root, name).applies
    offer = of_image(root, "cpu_affinity", "1-5")
    assert offer.lines == {"llama.service": {"CPUAffinity": ("CPUAffinity=", "CPUAffinity=1-5")}}
    assert "where none of these CPUs is there, it does not start" in offer.effect.cost
    path = root / DROP_IN.lstrip("/")
    path.parent.mkdir(parents=True)
    host = RootfsHost(root)
    (file,) = changes_of(host, audit(host), [offer])
    assert isinstance(file, FileChange)
    path.write_bytes(file.content)
    for value in ("1-5", "llama:1-5"):
        assert "has it already" in of_image(root, "cpu_affinity", value).effect.reason


def test_a_service_by_its_name() -> None:
    two = (process(), process(4243, "/system.slice/vllm.service"))
    assert asked("oom_policy", "vllm", *two).lines.keys() == {"vllm.service"}
    assert asked("threads", "vllm.service:4", *two).lines.keys() == {"vllm.service"}
    assert asked("cpu_affinity", "vllm:1-5", *two).lines.keys() == {"vllm.service"}
    with pytest.raises(UnknownName) as caught:
        asked("oom_policy", "lama.service")
    assert "llama.service" in str(caught.value.hint)
    for denied in ("ssh", "systemd-journald.service"):
        with pytest.raises(UsageError, match="never touched"):
            asked("oom_policy", denied)


def test_helpers_die_first_and_sshd_last() -> None:
    offer = asked("oom_policy")
    assert offer.lines == {
        "llama.service": {
            "OOMPolicy": ("OOMPolicy=stop",),
            "OOMScoreAdjust": ("OOMScoreAdjust=-550",),  # 404 thousandths of memory and a tenth
        }
    }
    assert "oom_score_adj 0 now, -550 then" in offer.effect.gain.evidence
    assert "sudo systemctl restart llama.service" in offer.effect.cost
    small = asked("oom_policy", "", process(rss=100 << 20))
    assert small.lines["llama.service"]["OOMScoreAdjust"] == ("OOMScoreAdjust=-500",)
    large = asked("oom_policy", "", process(rss=7 * GIB))
    assert large.lines["llama.service"]["OOMScoreAdjust"] == ("OOMScoreAdjust=-900",)
    own = {**process(), "/proc/4242/oom_score_adj": "-800\n"}
    assert "has oom_score_adj -800 of its own" in asked("oom_policy", "", own).effect.reason


def test_cores_that_are_alike_are_no_reason_and_faster_ones_are() -> None:
    alike = asked("cpu_affinity")
    assert "its 6 CPUs are alike" in alike.effect.reason
    assert "--knob cpu_affinity=1-5 leaves CPU 0" in alike.effect.reason
    told: dict[str, str | bytes] = {f"{CPU}/cpu{cpu}/cpu_capacity": f"{1024 if cpu > 3 else 400}\n" for cpu in range(6)}
    big = asked("cpu_affinity", "", {**process(), **told})
    assert big.lines == {"llama.service": {"CPUAffinity": ("CPUAffinity=", "CPUAffinity=4-5")}}
    assert "on 0-5 now, on 4-5 then; capacity 1024 on 4-5, others 400" in big.effect.gain.evidence
    assert not big.saves
    clocks: dict[str, str | bytes] = {
        f"{CPU}/cpu{cpu}/cpufreq/cpuinfo_max_freq": f"{2000 if cpu < 2 else 1500}\n" for cpu in range(6)
    }
    assert (
        asked("cpu_affinity", "", {**process(), **clocks}).lines["llama.service"]["CPUAffinity"][1] == "CPUAffinity=0-1"
    )


def test_cpus_that_are_asked_for() -> None:
    assert asked("cpu_affinity", "1,3-5").lines["llama.service"]["CPUAffinity"] == ("CPUAffinity=", "CPUAffinity=1,3-5")
    assert "runs on 0-5 already" in asked("cpu_affinity", "0-5").effect.reason
    with pytest.raises(UsageError, match="no CPU 6-7 runs here"):
        asked("cpu_affinity", "4-7")
    for value in ("5-4", "a", "llama:", "1;2"):
        with pytest.raises(UsageError):
            asked("cpu_affinity", value)


def test_as_many_threads_as_cpus() -> None:
    assert "6 threads on 6 CPUs" in asked("threads").effect.reason
    many = asked("threads", "", process(threads=70))
    assert many.lines["llama.service"]["Environment OMP_NUM_THREADS"] == ("Environment=OMP_NUM_THREADS=6",)
    assert set(many.lines["llama.service"]) == {
        f"Environment {name}" for name in ("LLAMA_ARG_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    gain = many.effect.gain
    assert (gain.low_bytes, gain.likely_bytes, gain.high_bytes) == (0, 0, 64 * 16 * KIB)
    four = asked("threads", "4")
    assert four.effect.gain.high_bytes == 2 * 16 * KIB
    assert four.lines["llama.service"]["Environment LLAMA_ARG_THREADS"] == ("Environment=LLAMA_ARG_THREADS=4",)


def test_one_file_holds_what_all_three_say_and_what_was_there() -> None:
    host, known = serving(process(threads=70))
    wishes = {"cpu_affinity": Wish(value="1-5"), "threads": Wish(value="5")}
    chosen = offers(host, known, names=["oom_policy", "cpu_affinity", "threads"], wishes=wishes)
    (file,) = changes_of(host, known, chosen)
    assert isinstance(file, FileChange)
    assert (file.path, file.expects) == (DROP_IN, None)
    lines = file.content.decode().splitlines()
    assert lines[1:] == [
        "[Service]",
        "CPUAffinity=",
        "CPUAffinity=1-5",
        "Environment=LLAMA_ARG_THREADS=5",
        "Environment=OMP_NUM_THREADS=5",
        "Environment=OPENBLAS_NUM_THREADS=5",
        "OOMPolicy=stop",
        "OOMScoreAdjust=-550",
    ]
    there = {**process(threads=70), DROP_IN: file.content}
    again, known = serving(there)
    for name, wish in {**wishes, "oom_policy": Wish()}.items():
        assert "already" in offers(again, known, names=[name], wishes={name: wish})[0].effect.reason
    (other,) = drop_in_changes(again, [{"llama.service": {"CPUAffinity": ("CPUAffinity=", "CPUAffinity=0")}}])
    assert isinstance(other, FileChange)
    assert other.expects is not None
    assert other.content.decode().splitlines() == [line.replace("=1-5", "=0") for line in lines]


def test_lists_of_cpus() -> None:
    assert parse_list("0-2,5") == (0, 1, 2, 5)
    assert format_list((0, 1, 2, 5)) == "0-2,5"
    assert parse_list("") == parse_list("0-") == parse_list("x") == ()


def with_drop_in(name: str, text: str) -> dict[str, str | bytes]:
    folder = "/etc/systemd/system/llama.service.d"
    return {f"{folder}/{name}": text}


def test_a_drop_in_of_somebody_else_is_left_alone() -> None:
    host, known = serving(process(), with_drop_in("60-memfit.conf", "[Unit]\nAfter=foo.service\n"))
    chosen = offers(host, known, names=["oom_policy"])
    with pytest.raises(ApplyError, match="somebody else wrote it"):
        changes_of(host, known, chosen)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("oom_policy", "", "OOMScoreAdjust = 100"),
        ("cpu_affinity", "1-5", "CPUAffinity=0"),
        ("threads", "3", 'Environment="OMP_NUM_THREADS=8"'),
    ],
)
def test_what_is_read_later_would_win(name: str, value: str, line: str) -> None:
    later = asked(name, value, process(), with_drop_in("override.conf", f"[Service]\n; a note\n{line}\n"))
    assert "override.conf is read later and sets" in later.effect.reason
    assert asked(name, value, process(), with_drop_in("10-first.conf", f"[Service]\n{line}\n")).effect.applies


LATER = "[Service]\nOOMScoreAdjust=100\n"


@pytest.mark.parametrize(
    "path",
    [
        "/run/systemd/system/llama.service.d/70-late.conf",
        "/usr/lib/systemd/system/llama.service.d/zz.conf",
        "/usr/local/lib/systemd/system/llama.service.d/zz.conf",
        "/etc/systemd/system.control/llama.service.d/90-OOM.conf",
        "/usr/lib/systemd/system/service.d/99-all.conf",
    ],
)
def test_what_is_read_later_wins_from_every_folder(path: str) -> None:
    later = asked("oom_policy", "", process(), {path: LATER})
    assert later.effect.reason == f"{path} is read later and sets OOMScoreAdjust: change it there"
    early = path.rpartition("/")[0] + "/05-first.conf"
    assert asked("oom_policy", "", process(), {early: LATER}).effect.applies
    # one of the same name takes the place of those in later folders
    shadow = "/etc/systemd/system.control/" + "/".join(path.split("/")[-2:])
    if shadow != path:
        assert asked("oom_policy", "", process(), {path: LATER, shadow: "[Service]\n"}).effect.applies


def test_drop_ins_of_templates_and_of_names_that_begin_alike() -> None:
    unit = "gguf-small@a.service"
    there = {**process(unit=f"/system.slice/{unit}"), f"{UNITS}/gguf-small@.service": b"[Service]\n"}
    for whose in ("gguf-small@.service", "gguf-.service"):
        path = f"/etc/systemd/system/{whose}.d/99.conf"
        assert f"{path} is read later" in asked("oom_policy", "", there, {path: LATER}).effect.reason
    other = asked("oom_policy", "", there, {"/etc/systemd/system/gguf@.service.d/99.conf": LATER})
    assert other.effect.applies


@pytest.mark.parametrize("folder", ["/etc/systemd/system", "/run/systemd/system"])
def test_a_masked_service_is_refused_where_it_runs_as_well(folder: str) -> None:
    held = serving(process(), {f"{UNITS}/vllm.service": b"[Service]\n"})[0].snapshot
    link = f"{folder}/vllm.service"
    host = SnapshotHost(msgspec.structs.replace(held, links={**held.links, link: "/dev/null"}))
    with pytest.raises(UsageError, match=r"vllm\.service is masked, so nothing starts it"):
        offers(host, audit(host), names=["oom_policy"], wishes={"oom_policy": Wish(value="vllm")})


def test_a_file_of_variables_counts_more(tmp_path: Path) -> None:
    root = image(tmp_path, llama="/usr/bin/llama-server")
    file, defaults = root / UNITS.lstrip("/") / "llama.service", root / "etc/default/llama"
    defaults.parent.mkdir()
    file.write_text(file.read_text() + "EnvironmentFile=-/etc/default/llama\n")
    assert of_image(root, "threads", "3").applies  # it is not there
    defaults.write_text("MODEL=/m\n# OMP_NUM_THREADS=8\n")
    assert of_image(root, "threads", "3").applies
    defaults.write_text("MODEL=/m\nOMP_NUM_THREADS=8\n")
    reason = of_image(root, "threads", "llama:3").effect.reason
    assert reason == "/etc/default/llama sets OMP_NUM_THREADS, which counts more: change it there"
    drop_in = root / "etc/systemd/system/llama.service.d/10-own.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nEnvironmentFile=\n")
    assert of_image(root, "threads", "3").applies
    drop_in.write_text("[Service]\nEnvironmentFile=\nEnvironmentFile=/etc/default/l*\n")
    assert not of_image(root, "threads", "3").applies


def test_what_is_not_fetched_of_them_is_said() -> None:
    unit: dict[str, str | bytes] = {
        "/etc/systemd/system/llama.service": "[Service]\nEnvironmentFile=/etc/default/llama\n"
    }
    there = process(threads=70)
    assert "(/etc/default/llama was not read)" in asked("threads", "3", there, unit).effect.cost
    assert "was not read" not in asked("threads", "3", there).effect.cost
    del there[f"{UNITS}/llama.service"]
    assert "(its unit file, which may name one, was not read)" in asked("threads", "3", there).effect.cost


def test_no_name_of_a_service() -> None:
    for name in ("foo@/../../x.service", "a b", "x\ny"):
        with pytest.raises(UsageError, match="no name of a service"):
            asked("oom_policy", name)


def test_lists_that_run_backwards_or_are_in_other_digits_are_none() -> None:
    assert parse_list("5-1,3") == ()
    assert parse_list("\u0661") == ()
