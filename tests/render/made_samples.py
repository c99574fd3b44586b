"""Records of things that were made or measured here, with figures of real ones."""

from __future__ import annotations

from memfit.measure.baseline import Baseline, Baselines
from memfit.measure.records import Machine
from memfit.model.fabricate import Fabrication, Fallback, FormatShare
from memfit.model.shape import Tokenizer
from memfit.units import KIB, MIB

FABRICATED = Fabrication(
    path="qwen2.5-0.5b.gguf",
    model="Qwen2.5-0.5B, 2 of 24 layers",
    architecture="qwen2",
    format="Q4_K_M",
    parameters=165_960_192,
    layers=2,
    layers_whole=24,
    bytes=165_000_000,
    weights_bytes=160_000_000,
    formats=(
        FormatShare(format="Q8_0", tensors=3, bytes=149_000_000),
        FormatShare(format="Q5_0", tensors=10, bytes=10_990_000),
        FormatShare(format="F32", tensors=11, bytes=10_000),
    ),
    fallbacks=(Fallback(wanted="Q4_K", format="Q5_0", tensors=10), Fallback(wanted="Q6_K", format="Q8_0", tensors=3)),
    vocabulary=Tokenizer(kind="gpt2", tokens=151936, token_bytes=1_100_000, merges=151677, merge_bytes=1_300_000),
    seed=7,
    sha256="3d61826ccb4a" * 5 + "0000",
    duration_s=0.8,
)

BASELINES = Baselines(
    machine=Machine(
        key="nvidia-jetson-orin-nano-developer-kit",
        cpu="ARMv8 Processor rev 1 (v8l)",
        board="NVIDIA Jetson Orin Nano Developer Kit",
        kernel="5.15.148-tegra",
        total_bytes=7_800_000 * KIB,
        threads=6,
    ),
    python="3.10.12",
    rows=(
        Baseline(
            key="llama_cpp",
            name="llama.cpp",
            outcome="measured",
            version="0.3.36",
            brings_up="the library loaded by ctypes, its backends found",
            net_bytes=6 * MIB,
            spread_bytes=MIB // 4,
            anonymous_bytes=3 * MIB,
            resident_bytes=7 * MIB,
            bare_bytes=10 * MIB,
            peak_bytes=17 * MIB,
            available_drop_bytes=6 * MIB,
            duration_s=0.04,
            runs=3,
            documented_low_bytes=50_000_000,
            documented_high_bytes=50_000_000,
        ),
        Baseline(
            key="pytorch",
            name="PyTorch",
            outcome="measured",
            version="2.13.0",
            brings_up="one product of 8 × 8 matrices, on the GPU where there is one",
            net_bytes=1200 * MIB,
            spread_bytes=4 * MIB,
            anonymous_bytes=700 * MIB,
            resident_bytes=1210 * MIB,
            bare_bytes=10 * MIB,
            peak_bytes=1300 * MIB,
            available_drop_bytes=1600 * MIB,
            duration_s=9.3,
            runs=3,
            documented_low_bytes=500_000_000,
            documented_high_bytes=1_000_000_000,
            note="memory that a CUDA context takes on the GPU's side is in no PSS",
        ),
        Baseline(
            key="onnx_runtime",
            name="ONNX Runtime",
            outcome="failed",
            reason="ImportError: libcudart.so.12: cannot open shared object file",
            documented_low_bytes=100_000_000,
            documented_high_bytes=300_000_000,
        ),
        Baseline(
            key="jetpack",
            name="JetPack",
            outcome="no process",
            reason="it is spread over the system",
            note="it is spread over the system",
            documented_low_bytes=400_000_000,
            documented_high_bytes=600_000_000,
        ),
    ),
)

MADE = {"fabricated": FABRICATED, "baselines": BASELINES}
