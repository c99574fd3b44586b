"""How the child reads the engine's log and structures, and what it refuses to believe. Needs no engine."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from memfit.engine._llama_cpp._child.breakdown import Breakdown, ByValue, Unreadable
from memfit.engine._llama_cpp._child.contexts import check
from memfit.engine._llama_cpp._child.library import Log
from memfit.engine._llama_cpp._child.log import MIB, agree, figures

# as llama.cpp printed it at 0c1e57098 for a hybrid with a window, 4 slots
LOG = """\
llama_context: n_ctx                 = 8192
llama_context: n_outputs_max         = 2048
llama_context: n_outputs_max_per_seq = 1
llama_context:        CPU  output buffer size =     1.96 MiB
llama_kv_cache_iswa: creating non-SWA KV cache, size = 8192 cells
llama_kv_cache:        CPU KV buffer size =     0.00 MiB
llama_kv_cache: size = 1024.00 MiB (  8192 cells,  32 layers,  4/1 seqs), K (f16):  512.00 MiB, V (f16):  512.00 MiB
llama_kv_cache: size =   16.50 MiB (   768 cells,   4 layers,  4/1 seqs), K (q8_0):  8.25 MiB, V (q8_0):  8.25 MiB
llama_memory_recurrent:        CPU RS buffer size =    12.25 MiB
llama_memory_recurrent: size =   12.25 MiB (     4 cells,  24 layers,  4 seqs  0 rs_seq), R (f32):    2.25 MiB, \
S (f32):   10.00 MiB, P (f32):    0.00 MiB
sched_reserve: reserving ...
sched_reserve:        CPU compute buffer size =   266.50 MiB
sched_reserve:  CUDA_Host compute buffer size =     8.01 MiB
sched_reserve: graph: nodes = 998, splits = 1, input objects = 4, input tensors = 6
"""


def test_the_log_gives_buffers_caches_and_rows() -> None:
    found = figures(LOG)
    assert found["compute"] == {"CPU": 266 * MIB + MIB // 2, "CUDA_Host": round(8.01 * MIB)}
    assert found["output"] == round(1.96 * MIB)
    assert found["n_outputs_max"] == 2048
    assert [(cache["kind"], cache["cells"], cache["layers"], cache["bytes"]) for cache in found["caches"]] == [
        ("kv", 8192, 32, 1024 * MIB),
        ("kv", 768, 4, 16 * MIB + MIB // 2),
        ("state", 4, 24, 12 * MIB + MIB // 4),
    ]


def test_a_log_without_figures_gives_none() -> None:
    assert figures("nothing to see") == {"compute": {}, "output": None, "caches": [], "n_outputs_max": None}


def test_agreement_is_half_of_the_last_digit() -> None:
    assert agree(513024, round(0.49 * MIB))
    assert not agree(513024 + MIB // 100, round(0.49 * MIB))
    assert agree(513024 + MIB // 100, round(0.49 * MIB), lines=3)


def exact(*, compute: int = 279447552, cache: int = 1024 * MIB) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    buffers = [{"name": "CPU", "compute_bytes": compute, "context_bytes": cache}]
    return buffers, [{"role": "whole", "kind": "kv", "bytes": 1024 * MIB}]


PRINTED: dict[str, Any] = {"compute": {"CPU": 266 * MIB + MIB // 2}, "caches": [{"bytes": 1024 * MIB}]}


def test_figures_that_agree_with_the_log_are_believed() -> None:
    buffers, caches = exact()
    check(buffers, caches, PRINTED)


@pytest.mark.parametrize(
    ("found", "printed", "complaint"),
    [
        (exact(compute=300 * MIB), PRINTED, "compute buffer CPU"),
        (exact(cache=5), PRINTED, "do not add up"),
        (exact(), PRINTED | {"caches": [{"bytes": 1000 * MIB}]}, "but the log differs"),
        (exact(), PRINTED | {"compute": {}}, "compute buffer CPU"),
    ],
)
def test_figures_that_differ_from_the_log_are_not(found: Any, printed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint):
        check(found[0], found[1], printed)


class NoEngine:
    """A library that exports nothing."""

    class api:  # noqa: N801
        _lib = ctypes.CDLL(None)

    def function(self, *_: Any) -> None:
        return None

    def call(self, *_: Any) -> None:
        return None


@pytest.fixture
def breakdown() -> Breakdown:
    return Breakdown(NoEngine())  # type: ignore[arg-type]


def node(parent: int, left: int, right: int, *content: int) -> Any:
    return (ctypes.c_size_t * (4 + len(content)))(1, parent, left, right, *content)


def header(root: int, count: int) -> ByValue:
    return ByValue((0, 0, root, 0, 0, count))


def tree() -> tuple[ByValue, list[Any]]:
    """A map of three nodes, keys 10, 20 and 30, in this process's memory."""
    top = node(0, 0, 0, 20, 200)
    above = ctypes.addressof(top)
    left, right = node(above, 0, 0, 10, 100), node(above, 0, 0, 30, 300)
    top[2], top[3] = ctypes.addressof(left), ctypes.addressof(right)
    return header(above, 3), [top, left, right]


def test_a_map_is_read_whole(breakdown: Breakdown) -> None:
    by_value, _keep = tree()
    assert sorted(breakdown._nodes(by_value, values=1)) == [(10, 100), (20, 200), (30, 300)]
    assert list(breakdown._nodes(header(0, 0), values=1)) == []


def test_a_map_that_was_read_is_freed_and_one_that_is_not_believed_is_left_alone(breakdown: Breakdown) -> None:
    freed: list[int] = []
    breakdown._delete = freed.append
    by_value, nodes = tree()
    breakdown._nodes(by_value, values=1)
    assert sorted(freed) == sorted(ctypes.addressof(each) for each in nodes)
    freed.clear()
    by_value.words[5] = 4
    with pytest.raises(Unreadable):
        breakdown._nodes(by_value, values=1)
    assert freed == []


def test_a_map_with_another_count_is_not_believed(breakdown: Breakdown) -> None:
    by_value, _keep = tree()
    for count in (2, 4, 10**6):
        by_value.words[5] = count
        with pytest.raises(Unreadable):
            list(breakdown._nodes(by_value, values=1))


def test_a_map_whose_nodes_have_other_parents_is_not_believed(breakdown: Breakdown) -> None:
    by_value, nodes = tree()
    nodes[1][1] = 12345
    with pytest.raises(Unreadable, match="not a tree"):
        list(breakdown._nodes(by_value, values=1))


@pytest.mark.parametrize("address", [0, 8, 2**47 + 8, 2**64 - 4096])
def test_a_wrong_address_is_an_error_and_no_crash(breakdown: Breakdown, address: int) -> None:
    with pytest.raises(Unreadable, match="no memory"):
        breakdown.words(address, 1)
    with pytest.raises(Unreadable):
        breakdown.class_of(ctypes.addressof(ctypes.c_size_t(address)))


def test_without_symbols_nothing_is_exact(breakdown: Breakdown) -> None:
    with pytest.raises(Unreadable, match="does not export"):
        breakdown.buffers(0)
    assert breakdown.caches(0) == []


def test_the_log_is_bounded_and_keeps_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.engine._llama_cpp._child.library._MOST_LOG_CHARACTERS", 100)
    log = Log()
    for index in range(1000):
        log.add(2, f"line {index}\n")
    assert len(log.text) <= 100
    assert log.tail.endswith("line 999\n")
    assert log.complaints == ""


def test_complaints_are_warnings_and_errors_with_their_continuations() -> None:
    log = Log()
    log.add(1, "debug")
    log.add(5, " goes on\n")
    log.add(2, "information\n")
    log.add(3, "a warning")
    log.add(5, " goes on\n")
    log.add(4, "an error\n")
    assert log.text == "information\na warning goes on\nan error\n"
    assert log.complaints == "a warning goes on\nan error"
    log.begin()
    assert log.text == log.complaints == ""
    assert "an error" in log.tail
