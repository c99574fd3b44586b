from __future__ import annotations

import msgspec

from memfit.device.audit_records import Advice, Audit, DramTerm, ProcessRow, Storage
from memfit.knob import advice
from memfit.units import GIB, MIB
from whole_machine import machine


def row(pid: int, name: str, unit: str, role: str = "", kind: str = "service", pss: int = 40 * MIB) -> ProcessRow:
    return ProcessRow(pid=pid, name=name, unit=unit, kind=kind, role=role, pss_bytes=pss, rss_bytes=2 * pss)


def told(*rows: ProcessRow, **fields: object) -> dict[str, Advice]:
    _, known = machine()
    changed: Audit = msgspec.structs.replace(known, processes=rows, **fields)
    return {one.name: one for one in advice(changed)}


def test_an_image_gets_no_advice() -> None:
    _, known = machine(live=False)
    assert advice(known) == ()


def test_units_nobody_knows_are_named_with_what_they_hold() -> None:
    found = told(
        row(1, "robot", "robot.service"),
        row(2, "robot-helper", "robot.service", pss=5 * MIB),
        row(3, "small", "small.service", pss=MIB),
        row(4, "snapd", "snapd.service", "snap"),  # a knob knows it
        row(5, "NetworkManager", "NetworkManager.service"),  # never touched
        row(6, "vllm", "engine.service", "inference"),
        row(7, "sshd", "ssh.service", "ssh"),
    )
    assert {name for name in found if name.endswith(".service")} == {"robot.service"}
    assert found["robot.service"].bytes == 45 * MIB
    assert "systemctl disable --now robot.service" in found["robot.service"].words


def test_a_name_that_a_shell_would_take_apart_is_quoted() -> None:
    found = told(row(1, "robot", r"my\x2drobot.service"))
    assert found[r"my\x2drobot.service"].words.endswith(r"disable --now 'my\x2drobot.service'")


def test_interpreters_sessions_and_containers() -> None:
    found = told(
        row(10, "python3 ipykernel_launcher", "session-2.scope", "idle python", "session", 8 * MIB),
        row(11, "python3 train.py", "session-2.scope", "python", "session"),
        row(12, "node", "session-5.scope", "", "session"),
        row(13, "bash", "session-5.scope", "", "session", MIB),
        row(14, "redis-server", "docker 0123456789ab", "container", "container"),
    )
    assert found["idle_python"].bytes == 8 * MIB
    assert "kill 10" in found["idle_python"].words
    assert {"python3 train.py", "node", "docker 0123456789ab"} <= found.keys()
    assert "docker stop 0123456789ab" in found["docker 0123456789ab"].words
    assert "bash" not in found


def test_gpu_memory_of_a_process_counts() -> None:
    _, known = machine()
    client = msgspec.structs.replace(known.nvmap[0], pid=10, bytes=100 * MIB)
    found = told(row(10, "python3 idle.py", "session-2.scope", "idle python", "session", 8 * MIB), nvmap=(client,))
    assert found["idle_python"].bytes == 108 * MIB


def test_files_in_memory_and_the_page_cache() -> None:
    _, known = machine()
    extra = DramTerm(name="tmpfs", layer="user", bytes=300 * MIB, source="measured", holder="/dev/shm")
    found = told(terms=(*known.terms, extra))
    assert found["/dev/shm"].bytes == 300 * MIB
    assert "/run" not in found  # 3 MiB
    assert "drop_caches" in found["page_cache"].words
    assert next(iter(found)) == "page_cache"


def test_a_swap_file_beside_the_knob_only_on_nvme_with_room_twice_over() -> None:
    def disk(kind: str, free: int, mount: str = "/") -> tuple[Storage, ...]:
        return (Storage(mount=mount, device="/dev/x", kind=kind, total_bytes=200 * GIB, free_bytes=free),)

    assert "mkswap /data/swap.img" in told(storage=disk("nvme", 20 * GIB, "/data"))["swap_file"].words
    assert "swap_file" not in told(storage=disk("nvme", 10 * GIB, "/data"))
    assert "swap_file" not in told(storage=disk("nvme", 20 * GIB))  # the knob makes that one
    assert "wears it out" in told(storage=disk("emmc", 50 * GIB))["swap_file"].words
    _, known = machine()
    file = msgspec.structs.replace(known.swaps[0], name="/swapfile", kind="file")
    assert "swap_file" not in told(storage=disk("nvme", 50 * GIB), swaps=(file,))


def test_how_an_engine_is_started_comes_last() -> None:
    _, known = machine()
    assert [one.name for one in advice(known)][-2:] == ["oom_policy", "threads"]
