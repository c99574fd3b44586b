"""Every meter on files and programs made up here: what it reads, and that it is silent where there is nothing."""

from __future__ import annotations

import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device import nvml
from memfit.device.cgroup import Cgroup
from memfit.errors import ProbeError
from memfit.host import LocalHost
from memfit.measure._tree import Tree
from memfit.measure.meters import METERS, Reader, Series, Values, Watched
from memfit.measure.meters._meter import AVAILABLE, LIMITED, RESIDENT, Every
from memfit.measure.meters.engine_metrics import parse_metrics, parse_slots
from memfit.units import KIB, MIB

# the suffixes of names in memfit's records
UNITS = {"bytes", "count", "pages", "s", "c", "mw", "hz", "ratio", "tokens", "tokens_per_s"}
TEGRASTATS = (
    "04-19-2026 01:31:10 RAM {ram}/7607MB (lfb 61x4MB) SWAP 12/3803MB (cached 0MB) CPU [50%@1728,0%@1728,off,off] "
    "EMC_FREQ 3%@3199 GR3D_FREQ 99%@[1018] cpu@48.906C VDD_IN 5971mW/5971mW"
)


def watched(root: Path, *, cgroup: Cgroup | None = None, endpoint: str | None = None, pid: int = 7) -> Watched:
    host = LocalHost(root)
    return Watched(host=host, tree=Tree(pid, host), cgroup=cgroup, endpoint=endpoint)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def opened(name: str, one: Watched) -> Reader:
    reader = METERS.get(name).open(one)
    assert reader is not None
    return reader


def named(values: Values) -> dict[str, float]:
    return {series.name: figure for series, figure in values.items()}


@pytest.mark.parametrize("name", METERS.keys())
def test_every_meter_says_what_it_is_and_is_silent_on_an_empty_machine(name: str, tmp_path: Path) -> None:
    meter = METERS.get(name)
    assert meter.summary
    assert set(meter.units) <= UNITS
    assert meter.interval_s >= 0.1
    reader = meter.open(watched(tmp_path))
    if reader is not None:
        assert all(figure == 0 for figure in reader.read().values())
        reader.close()


@pytest.mark.parametrize("name", METERS.keys())
def test_units_of_series_are_those_that_a_meter_announces(name: str) -> None:
    host = LocalHost()
    reader = METERS.get(name).open(Watched(host=host, tree=Tree(1, host)))
    if reader is None:
        pytest.skip(f"nothing for {name} to read here")
    assert {series.unit for series in reader.read()} <= set(METERS.get(name).units)
    reader.close()


def test_the_group_of_version_2(tmp_path: Path) -> None:
    stat = "anon 600000\nfile 400000\nshmem 10000\nkernel_stack 1000\npagetables 2000\n"
    write(tmp_path, **{"g__memory.current": "1000000\n", "g__memory.stat": stat})
    reader = opened("cgroup", watched(tmp_path, cgroup=Cgroup(version=2, folder="/g")))
    values = reader.read()
    assert values[LIMITED] == 1_000_000
    assert named(values)["unevictable"] == 613_000
    assert named(values)["file"] == 390_000
    assert set(reader.read()) == {LIMITED}  # the parts are read less often
    reader.close()


def test_the_group_of_version_1_with_and_without_kernel_memory(tmp_path: Path) -> None:
    group = Cgroup(version=1, folder="/g")
    stat = "total_cache 400000\ntotal_rss 600000\ntotal_shmem 10000\n"
    write(tmp_path, **{"g__memory.usage_in_bytes": "1000000\n", "g__memory.stat": stat})
    assert named(opened("cgroup", watched(tmp_path, cgroup=group)).read())["unevictable"] == 610_000
    write(tmp_path, **{"g__memory.kmem.usage_in_bytes": "50000\n"})
    assert named(opened("cgroup", watched(tmp_path, cgroup=group)).read())["unevictable"] == 660_000


def test_a_group_that_is_removed_ends_the_meter(tmp_path: Path) -> None:
    write(tmp_path, **{"g__memory.current": "1\n", "g__memory.stat": "anon 1\n"})
    reader = opened("cgroup", watched(tmp_path, cgroup=Cgroup(version=2, folder="/g")))
    reader.read()
    (tmp_path / "g/memory.current").unlink()
    with pytest.raises(ProbeError):
        reader.read()


def test_the_system(tmp_path: Path) -> None:
    text = "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 70 kB\nCached: 20 kB\nSlab: 5 kB\n"
    write(tmp_path, proc__meminfo=f"{text}SwapTotal: 9 kB\nSwapFree: 4 kB\n")
    reader = opened("system", watched(tmp_path))
    values = reader.read()
    assert values[AVAILABLE] == 70 * KIB
    assert named(values) | {"cached": 20 * KIB, "slab": 5 * KIB, "swapped": 5 * KIB, "free": 10 * KIB} == named(values)
    assert set(reader.read()) == {AVAILABLE}


def test_the_process_tree(tmp_path: Path) -> None:
    write(tmp_path, proc__7__statm="100 60 20 0 0 0 0", proc__7__task__7__children="")
    values = opened("process_tree", watched(tmp_path)).read()
    assert values[RESIDENT] % 60 == 0
    assert named(values)["anonymous"] * 60 == values[RESIDENT] * 40
    assert named(values)["processes"] == 1


def test_pressure_counts_from_where_it_was_opened(tmp_path: Path) -> None:
    group = Cgroup(version=2, folder="/g")
    line = "some avg10=0.00 total={some}\nfull avg10=0.00 total={full}\n"
    write(tmp_path, proc__pressure__memory=line.format(some=9_000_000, full=1_000_000))
    write(tmp_path, **{"g__memory.pressure": line.format(some=0, full=0)})
    reader = opened("pressure", watched(tmp_path, cgroup=group))
    write(tmp_path, proc__pressure__memory=line.format(some=9_500_000, full=1_000_000))
    write(tmp_path, **{"g__memory.pressure": line.format(some=250_000, full=0)})
    values = named(reader.read())
    assert (values["some_stalled"], values["some_stalled_in_group"]) == (0.5, 0.25)
    reader.close()


def test_faults_count_from_where_they_were_opened(tmp_path: Path) -> None:
    text = "pgfault 1\npgmajfault 1\nworkingset_refault_file {refaults}\npswpin 0\npswpout {out}\n"
    write(tmp_path, proc__vmstat=text.format(refaults=1000, out=50))
    reader = opened("faults", watched(tmp_path))
    write(tmp_path, proc__vmstat=text.format(refaults=1234, out=60))
    values = named(reader.read())
    assert (values["refaults"], values["swapped_out"]) == (234, 10)


def test_nvmap_tells_the_run_from_others(tmp_path: Path) -> None:
    table = "CLIENT PROCESS PID SIZE\nuser llama-server 7 1024K\nuser Web Content 99 512K\ntotal 1536K\n"
    write(
        tmp_path, sys__kernel__debug__nvmap__iovmm__clients=table, proc__7__statm="1 1 1", proc__7__task__7__children=""
    )
    write(tmp_path, sys__kernel__debug__nvmap__iovmm__free_size="Max allocatable IOVMM memory: 6135873536 bytes\n")
    one = watched(tmp_path)
    one.tree.scan()
    values = named(opened("nvmap", one).read())
    assert (values["held"], values["held_by_run"], values["free"]) == (1536 * KIB, MIB, 6_135_873_536)


def test_rails_zones_and_clocks(tmp_path: Path) -> None:
    hwmon = "sys__bus__i2c__drivers__ina3221__1-0040__hwmon__hwmon1__"
    write(tmp_path, **{f"{hwmon}in1_label": "VDD_IN\n", f"{hwmon}in1_input": "5000\n", f"{hwmon}curr1_input": "1200\n"})
    zone = "sys__class__thermal__thermal_zone0__"
    write(tmp_path, **{f"{zone}type": "gpu-thermal\n", f"{zone}temp": "51500\n"})
    write(tmp_path, sys__devices__system__cpu__cpufreq__policy0__scaling_cur_freq="1728000\n")
    one = watched(tmp_path)
    assert opened("rails", one).read() == {Series("VDD_IN", "mw"): 6000}
    assert opened("thermal", one).read() == {Series("gpu-thermal", "c"): 51.5}
    assert opened("clocks", one).read() == {Series("cpu0", "hz"): 1_728_000_000}


def program(folder: Path, script: str) -> None:
    path = folder / "tegrastats"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def read_until(reader: Reader, name: str) -> dict[str, float]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        values = named(reader.read())
        if name in values:
            return values
        time.sleep(0.01)
    raise AssertionError(f"{name} was never read")


def here() -> Watched:
    host = LocalHost()
    return Watched(host=host, tree=Tree(1, host))


def test_tegrastats_gives_its_newest_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = TEGRASTATS.format(ram=519), TEGRASTATS.format(ram=777)
    program(tmp_path, f"echo garbage; echo '{first}'; printf '%s\\n%s' '{second}' 'RAM 9'; exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reader = opened("tegrastats", here())
    values = read_until(reader, "used")
    while values["used"] != 777 * MIB:
        values = read_until(reader, "used")
    assert (values["CPU"], values["GR3D"], values["EMC"]) == (0.25, 0.99, 0.03)
    assert (values["cpu"], values["VDD_IN"]) == (48.906, 5971)
    reader.close()


def test_tegrastats_that_ends_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reader = opened("tegrastats", here())
    with pytest.raises(ProbeError, match="tegrastats has ended"):
        read_until(reader, "used")
    reader.close()


def test_tegrastats_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.measure.meters.tegrastats._END_S", 0.2)
    program(tmp_path, f"trap '' TERM; echo '{TEGRASTATS.format(ram=1)}'; while :; do sleep 0.05; done")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reader = opened("tegrastats", here())
    read_until(reader, "used")
    reader.close()


class Library:
    """Enough of NVML for one GPU."""

    def __init__(self) -> None:
        self.closed = False

    def memory(self) -> tuple[nvml.GpuMemory, ...]:
        return (nvml.GpuMemory(index=0, name="GPU", total_bytes=100, used_bytes=60),)

    def processes(self) -> tuple[nvml.GpuProcess, ...]:
        return (nvml.GpuProcess(gpu=0, pid=7, used_bytes=25), nvml.GpuProcess(gpu=0, pid=8, used_bytes=30))

    def close(self) -> None:
        self.closed = True


def test_nvml_tells_the_run_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(nvml, "Nvml", lambda: library)
    write(tmp_path, proc__7__statm="1 1 1", proc__7__task__7__children="")
    tree = Tree(7, LocalHost(tmp_path))
    tree.scan()
    reader = opened("nvml", Watched(host=LocalHost(), tree=tree))
    assert named(reader.read()) == {"used_gpu0": 60, "held_by_run": 25}
    reader.close()
    assert library.closed


METRICS = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 512
llamacpp:predicted_tokens_seconds 21.5
llamacpp:n_tokens_max nan
llamacpp:requests_processing{slot="0"} 1
vllm:num_requests_running 3
"""
SLOTS = [{"id": 0, "is_processing": True, "n_prompt_tokens": 100}, {"id": 1, "is_processing": False}]


class Server(http.server.BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, str]] = {}  # noqa: RUF012  set by each test
    asked: list[str] = []  # noqa: RUF012
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, text = self.answers.get(self.path, (404, ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def server() -> Iterator[str]:
    Server.answers, Server.asked = {}, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as serving:
        serving.daemon_threads = True
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def test_a_server_tells_tokens_speeds_and_slots(server: str, tmp_path: Path) -> None:
    Server.answers = {"/metrics": (200, METRICS), "/slots": (200, json.dumps(SLOTS))}
    reader = opened("engine_metrics", watched(tmp_path, endpoint=f"{server}/v1/"))
    expected = {"prompt": 512, "decode_speed": 21.5, "requests_processing": 1, "slots_busy": 1, "held_in_slots": 100}
    assert named(reader.read()) == expected
    reader.close()


def test_a_page_that_is_not_offered_is_asked_for_once(server: str, tmp_path: Path) -> None:
    Server.answers = {"/metrics": (501, "start it with --metrics"), "/slots": (200, json.dumps(SLOTS))}
    reader = opened("engine_metrics", watched(tmp_path, endpoint=server))
    for _ in range(3):
        assert named(reader.read())["slots_busy"] == 1
    assert Server.asked.count("/metrics") == 1
    reader.close()


def test_a_server_that_loads_is_asked_again(server: str, tmp_path: Path) -> None:
    Server.answers = {"/metrics": (503, "loading"), "/slots": (503, "loading")}
    reader = opened("engine_metrics", watched(tmp_path, endpoint=server))
    assert reader.read() == {}
    Server.answers = {"/metrics": (200, METRICS), "/slots": (500, "")}
    assert named(reader.read())["prompt"] == 512
    reader.close()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    reader = opened("engine_metrics", watched(tmp_path, endpoint="127.0.0.1:9"))
    assert reader.read() == {}
    reader.close()
    assert METERS.get("engine_metrics").open(watched(tmp_path, endpoint="http://host:notaport")) is None


@given(st.text(max_size=300))
def test_garbage_from_a_server_is_no_figure(text: str) -> None:
    parse_metrics(text)
    parse_slots(text)
    assert parse_metrics(f"llamacpp:prompt_tokens_total {text}").keys() <= {Series("prompt", "tokens")}


def test_slots_that_are_something_else() -> None:
    for text in ("null", "{}", "[]", "[1]", '{"error": {"code": 501}}', "[" * 100_000):
        assert parse_slots(text) == {}
    assert parse_slots('[{"is_processing": "yes", "n_prompt_tokens": true}]') == {Series("slots_busy", "count"): 0}


def test_every() -> None:
    due = Every(3)
    assert [due.is_due() for _ in range(7)] == [True, False, False, True, False, False, True]


def test_names_of_series_are_words() -> None:
    folder = Path(__file__).parents[2] / "src/memfit/measure/meters"
    for path in folder.glob("*.py"):
        for name in re.findall(r'Series\("([^"{]+)"', path.read_text()):
            assert re.fullmatch(r"[a-z][a-z_]*|CPU", name), f"{path.name}: {name}"
