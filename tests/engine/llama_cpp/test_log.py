"""What the log of llama.cpp's programs tells: buffers, versions, and nothing out of what is no log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.engine._llama_cpp.log import read_log
from memfit.engine.runtimes import ENGINES
from memfit.units import MIB

LIBRARY = """\
llama_model_loader: loaded meta data with 29 key-value pairs and 255 tensors from model.gguf
load_tensors:   CPU_Mapped model buffer size =  1918.35 MiB
load_tensors:   CPU_REPACK model buffer size =  1356.75 MiB
..........................................................................
llama_context: n_ctx                 = 4096
llama_context:        CPU  output buffer size =     0.49 MiB
llama_kv_cache:        CPU KV buffer size =   448.00 MiB
llama_kv_cache: size =  448.00 MiB (  4096 cells,  28 layers,  1/1 seqs), K (f16):  224.00 MiB, V (f16):  224.00 MiB
sched_reserve:        CPU compute buffer size =   256.50 MiB
"""


def told(text: str) -> list[tuple[str, str, float]]:
    return [(each.term, each.name, round(each.reserved_bytes / MIB, 2)) for each in read_log(text).buffers]


def test_the_library() -> None:
    assert told(LIBRARY) == [
        ("weights", "CPU_Mapped model buffer", 1918.35),
        ("weights", "CPU_REPACK model buffer", 1356.75),
        ("output_buffer", "CPU output buffer", 0.49),
        ("kv_cache", "CPU KV buffer", 448.0),
        ("compute_buffers", "CPU compute buffer", 256.5),
    ]
    assert all(each.touched_bytes is None for each in read_log(LIBRARY).buffers)
    assert ENGINES.get("llama_cpp").read_log(LIBRARY) == read_log(LIBRARY)


def test_cuda_has_buffers_on_both_sides() -> None:
    log = """\
load_tensors:        CUDA0 model buffer size =  4403.50 MiB
load_tensors:   CPU_Mapped model buffer size =   281.81 MiB
llama_context:  CUDA_Host  output buffer size =     0.98 MiB
llama_kv_cache:      CUDA0 KV buffer size =  1024.00 MiB
sched_reserve:      CUDA0 compute buffer size =   258.50 MiB
sched_reserve:  CUDA_Host compute buffer size =    16.01 MiB
"""
    assert told(log) == [
        ("weights", "CUDA0 model buffer", 4403.5),
        ("weights", "CPU_Mapped model buffer", 281.81),
        ("output_buffer", "CUDA_Host output buffer", 0.98),
        ("kv_cache", "CUDA0 KV buffer", 1024.0),
        ("compute_buffers", "CUDA0 compute buffer", 258.5),
        ("compute_buffers", "CUDA_Host compute buffer", 16.01),
    ]


def test_a_server_stamps_its_lines_and_loads_twice() -> None:
    """At a high verbosity the log holds the pass that only fits the options: the same lines, with nothing allocated."""
    log = """\
0.00.002.146 I cmn  common_param: common_params_print_info: build 6512 (0c1e570) with GNU 12.2.0 for Linux aarch64
0.00.002.244 I cmn  common_param: system_info: n_threads = 6 (n_threads_batch = 6) / 6 | CPU : NEON = 1 | ARM_FMA = 1 |
0.00.011.493 I load_tensors:   CPU_Mapped model buffer size =     0.00 MiB
0.00.011.661 I llama_context:        CPU  output buffer size =     0.05 MiB
0.00.011.803 I llama_kv_cache:        CPU KV buffer size =     0.00 MiB
0.00.013.704 I sched_reserve:        CPU compute buffer size =    10.51 MiB
0.00.019.925 I load_tensors:   CPU_Mapped model buffer size =     9.26 MiB
0.00.025.261 I llama_context:        CPU  output buffer size =     0.05 MiB
0.00.025.377 I llama_kv_cache:        CPU KV buffer size =    10.00 MiB
0.00.031.807 I sched_reserve:        CPU compute buffer size =    10.51 MiB
0.05.997.477 D ~llama_context:        CPU compute buffer size is  10.5117 MiB, matches expectation of  10.5117 MiB
"""
    assert told(log) == [
        ("weights", "CPU_Mapped model buffer", 9.26),
        ("output_buffer", "CPU output buffer", 0.05),
        ("kv_cache", "CPU KV buffer", 10.0),
        ("compute_buffers", "CPU compute buffer", 10.51),
    ]
    assert read_log(log).version == "b6512 (0c1e570)"
    assert read_log(log).instructions == "CPU : NEON = 1 | ARM_FMA = 1 |"


def test_two_caches_both_count_and_a_graph_reserved_again_counts_once() -> None:
    log = """\
load_tensors:          CPU model buffer size =   700.00 MiB
llama_kv_cache:        CPU KV buffer size =    16.00 MiB
llama_kv_cache:        CPU KV buffer size =    48.00 MiB
llama_memory_recurrent:        CPU RS buffer size =     6.42 MiB
llama_adapter_lora_init_impl:        CPU LoRA buffer size =    12.50 MiB
sched_reserve:        CPU compute buffer size =   100.00 MiB
sched_reserve:        CPU compute buffer size =   120.00 MiB
"""
    assert [term for term, _, _ in told(log)] == [
        "weights",
        "kv_cache",
        "kv_cache",
        "recurrent_state",
        "weights",
        "compute_buffers",
    ]
    assert told(log)[-1][2] == 120.0


def test_a_second_model_is_the_draft_and_an_encoder_the_projector() -> None:
    log = (
        LIBRARY
        + """\
load_tensors:   CPU_Mapped model buffer size =   100.00 MiB
llama_context:        CPU  output buffer size =     0.49 MiB
llama_kv_cache:        CPU KV buffer size =    24.00 MiB
sched_reserve:        CPU compute buffer size =    50.00 MiB
load_hparams: model size:         811.82 MiB
reserve_compute_meta:        CPU compute buffer size =   120.25 MiB
"""
    )
    assert [term for term, _, _ in told(log)][5:] == ["draft"] * 4 + ["projector"] * 2
    assert sum(size for term, _, size in told(log) if term == "projector") == pytest.approx(932.07)


def test_earlier_programs() -> None:
    log = """\
build: 3788 (b8deef0e) with cc (GCC) 11.4.0 for aarch64-linux-gnu
llm_load_tensors:        CPU buffer size =  1918.35 MiB
llama_kv_cache_init:        CPU KV buffer size =   448.00 MiB
llama_new_context_with_model:        CPU  output buffer size =     0.49 MiB
llama_new_context_with_model:        CPU compute buffer size =   256.50 MiB
"""
    assert [term for term, _, _ in told(log)] == ["weights", "kv_cache", "output_buffer", "compute_buffers"]
    assert read_log(log).version == "b3788 (b8deef0e)"


def test_nothing_is_told_by_what_is_no_log() -> None:
    found = read_log("")
    assert (found.buffers, found.version, found.instructions) == ((), "", "")
    assert told("the buffer size = 12.00 MiB is what I wrote") == []


PIECES = [*LIBRARY.splitlines(), "", "= MiB", ":  CPU"]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=20).map("\n".join))
def test_whatever_is_printed_is_read(text: str) -> None:
    for each in read_log(text).buffers:
        assert each.reserved_bytes >= 0
