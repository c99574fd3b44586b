"""Records with plausible figures, written by hand: what the renderer is tested and looked at with."""

from __future__ import annotations

from audit_samples import AUDITED
from bsp_samples import BSP
from change_samples import CHANGES
from fit_samples import FIT_ANSWERS
from made_samples import MADE
from precision_samples import MEASURED
from transfer_samples import TRANSFERS

from memfit.device.process import ProcessMemory
from memfit.device.records import Device
from memfit.engine.records import Deployment, Options, Part, Term
from memfit.footprint.calibration import Calibration, Residual
from memfit.footprint.process import Comparison
from memfit.footprint.records import Curve, CurvePoint, Footprint, Largest, ModelSummary, Relief, Verdict
from memfit.measure.records import Growth, Limit, Paging
from memfit.units import GIB, KIB, MIB
from runs_kept import SHOWN
from verified_samples import ran, verified

ORIN_NANO = Device(
    name="Orin Nano 8GB",
    unified=True,
    physical_bytes=8 * GIB,
    total_bytes=7620 * MIB,
    os_bytes=1040 * MIB,
    capacity_bytes=6452 * MIB,
    instructions=("neon", "dotprod"),
    threads=6,
    gpu="sm_87",
    grade="measured",
    source="JetPack 6.2, headless",
)

LLAMA_3B = ModelSummary(
    name="Llama-3.2-3B-Instruct",
    architecture="llama",
    parameters=3_212_749_888,
    parameters_active=3_212_749_888,
    layers=28,
    weights_bytes=2_011_539_712,
    format="Q4_K_M",
    context_trained_tokens=131072,
)

MIXTURE = ModelSummary(
    name="Qwen3-30B-A3B",
    architecture="qwen3moe",
    parameters=30_532_122_624,
    parameters_active=3_345_000_448,
    layers=48,
    weights_bytes=18_556_686_912,
    format="Q4_K_M",
    context_trained_tokens=40960,
)


def term(name: str, low: float, likely: float, high: float, **more: object) -> Term:
    """A term from figures in MiB."""
    fields = {"pool": "unified", "source": "formula", "formula": "written by hand", **more}
    sizes = (int(size * MIB) for size in (low, likely, high))
    low_bytes, likely_bytes, high_bytes = sizes
    return Term(name=name, low_bytes=low_bytes, likely_bytes=likely_bytes, high_bytes=high_bytes, **fields)  # type: ignore[arg-type]


def footprint(
    model: ModelSummary, options: Options, device: Device, terms: tuple[Term, ...], **more: object
) -> Footprint:
    """A footprint whose sums are those of its terms; what the system holds stays outside."""
    inside = [each for each in terms if each.pool != "system"]
    high = sum(each.high_bytes for each in inside)
    evictable = sum(each.evictable_bytes for each in inside)
    working_set = sum(each.working_set_bytes for each in inside)
    required = high - evictable + working_set
    verdict: Verdict = "no"
    if required <= device.capacity_bytes:
        verdict = "fits"
    elif high - evictable <= device.capacity_bytes:
        verdict = "tight"
    return Footprint(
        model=model,
        deployment=Deployment(model=f"{model.name}-{model.format}.gguf", options=options),
        device=device,
        terms=terms,
        low_bytes=sum(each.low_bytes for each in inside),
        likely_bytes=sum(each.likely_bytes for each in inside),
        high_bytes=high,
        evictable_bytes=evictable,
        working_set_bytes=working_set,
        required_bytes=required,
        capacity_bytes=device.capacity_bytes,
        headroom_bytes=device.capacity_bytes - required,
        verdict=verdict,
        engine="llama.cpp 0c1e57098 (llama-cpp-python 0.3.36), CPU, neon dotprod",
        **more,  # type: ignore[arg-type]
    )


OS = term(
    "os",
    1040,
    1040,
    1040,
    pool="system",
    source="measured",
    formula="MemTotal less MemAvailable after boot, without a desktop",
)

FITS = footprint(
    LLAMA_3B,
    Options(context_tokens=8192, slots=1),
    ORIN_NANO,
    (
        term(
            "weights",
            1918.35,
            3291.9,
            3291.9,
            source="engine",
            formula="rows of every tensor in its format, and the repacked copy of those the CPU rearranges",
            evictable_bytes=int(1918.35 * MIB),
            working_set_bytes=int(544.8 * MIB),
            parts=(
                Part(name="mapped from the file", bytes=int(1918.35 * MIB)),
                Part(name="repacked", bytes=int(3291.9 * MIB) - int(1918.35 * MIB)),
            ),
        ),
        term(
            "kv_cache", 896, 896, 896, source="formula", formula="28 layers × 8192 cells × 2 × 8 heads × 128 × 2 bytes"
        ),
        term("compute_buffers", 61.5, 102.4, 256.5, source="engine", formula="graph reservation of 512 tokens"),
        term("work_buffer", 4.1, 8.6, 8.6, source="coefficients", formula="largest operation × 6 threads"),
        term("output_buffer", 0.5, 0.5, 0.5, source="formula", formula="4 bytes × 128256 logits × 1 sequence"),
        term(
            "tokenizer",
            33,
            37,
            42,
            source="coefficients",
            formula="290 bytes × 128256 tokens",
            error="±12 % on 14 vocabularies",
        ),
        term("runtime", 38, 46, 60, source="measured", formula="resident size of the process before it loads a model"),
        term("prompt_cache", 0, 0, 0, source="formula", formula="--cache-ram 0"),
        OS,
        term("peak_headroom", 0, 24, 64, source="default", formula="what a peak may take beyond the reservation"),
    ),
    warnings=("The server would add up to 8192 MiB of saved prompts: --cache-ram is 0 here, 8192 by default.",),
    relief=(
        Relief(
            option="load_mode",
            value="none",
            saved_bytes=int(544.8 * MIB),
            required_bytes=int(2701.6 * MIB) - 300 * MIB,
            high_bytes=int(2701.6 * MIB),
            verdict="fits",
            cost="the model loads slower: every byte is read and copied once",
        ),
        Relief(
            option="kv_type",
            value="Q8_0",
            saved_bytes=420 * MIB,
            required_bytes=int(4199.5 * MIB) - 300 * MIB,
            high_bytes=int(4199.5 * MIB),
            verdict="fits",
            cost="KV cache in 8.5 bits a value",
        ),
        Relief(
            option="ubatch_tokens",
            value="128",
            saved_bytes=int(192.4 * MIB),
            required_bytes=int(4427.1 * MIB) - 300 * MIB,
            high_bytes=int(4427.1 * MIB),
            verdict="fits",
            cost="prompts are read more slowly",
        ),
    ),
)

TIGHT = footprint(
    MIXTURE,
    Options(context_tokens=4096, slots=4, unified_kv=True, repack=False),
    ORIN_NANO,
    (
        term(
            "weights",
            5100,
            17697,
            17697,
            source="engine",
            formula="rows of every tensor in its format",
            evictable_bytes=17697 * MIB,
            working_set_bytes=int(6700.5 * MIB),
        ),
        term("kv_cache", 384, 384, 384, formula="48 layers × 4096 cells × 2 × 4 heads × 128 × 2 bytes"),
        term("compute_buffers", 80, 190, 304.8, source="engine", formula="graph reservation of 512 tokens"),
        term("tokenizer", 39, 42, 47, source="coefficients", formula="290 bytes × 151936 tokens"),
        term("runtime", 38, 46, 60, source="measured", formula="resident size of the process before it loads a model"),
        OS,
    ),
    warnings=(
        "The experts of a token change with every token: what is read again depends on the text.",
        "Storage of 500 MB/s would give less than one token a second.",
    ),
)

TOO_BIG = footprint(
    LLAMA_3B,
    Options(context_tokens=65536, slots=4, load_mode="none", repack=True, backend="cuda"),
    ORIN_NANO,
    (
        term("weights", 1918.35, 1918.35, 1918.35, source="engine", formula="rows of every tensor in its format"),
        term("kv_cache", 7168, 7168, 7168, formula="28 layers × 65536 cells × 2 × 8 heads × 128 × 2 bytes"),
        term("compute_buffers", 400, 512, 548.2, source="engine", formula="graph reservation of 512 tokens"),
        term("runtime", 180, 240, 310, source="datasheet", formula="CUDA context and cuBLAS workspace"),
        OS,
    ),
    relief=(
        Relief(
            option="context_tokens",
            value="32768",
            saved_bytes=3712 * MIB,
            required_bytes=int(6232.5 * MIB) - 300 * MIB,
            high_bytes=int(6232.5 * MIB),
            verdict="fits",
            cost="half the context",
        ),
        Relief(
            option="kv_type",
            value="Q8_0",
            saved_bytes=3360 * MIB,
            required_bytes=int(6584.5 * MIB) - 300 * MIB,
            high_bytes=int(6584.5 * MIB),
            verdict="no",
            cost="KV cache in 8.5 bits a value",
        ),
    ),
)

SEPARATE = footprint(
    LLAMA_3B,
    Options(context_tokens=8192, load_mode="none", backend="cuda"),
    Device(
        name="a workstation",
        unified=False,
        capacity_bytes=12 * GIB,
        threads=16,
        gpu="sm_89",
        grade="stated",
        source="--memory",
    ),
    (
        term("weights", 1918.35, 1918.35, 1918.35, pool="gpu", source="engine", formula="rows of every tensor"),
        term("weights", 308.2, 308.2, 308.2, pool="host", source="engine", formula="the token embeddings"),
        term("kv_cache", 896, 896, 896, pool="gpu", formula="28 layers × 8192 cells × 2 × 8 heads × 128 × 2 bytes"),
        term("runtime", 0.02, 0.03, 0.04, pool="host", source="measured", formula="resident size"),
    ),
)


def curve() -> Curve:
    """Context from 2k to 128k: fits, then pages, then no longer fits."""
    points = []
    for exponent in range(11, 18):
        context = 1 << exponent
        kept = int(2230 * MIB) + context * 112 * KIB
        mapped = int(544.8 * MIB)
        verdict: Verdict = "fits"
        if kept + mapped > ORIN_NANO.capacity_bytes:
            verdict = "tight" if kept <= ORIN_NANO.capacity_bytes else "no"
        points.append(
            CurvePoint(
                value=context,
                likely_bytes=kept + int(1300 * MIB),
                high_bytes=kept + int(1918.35 * MIB),
                required_bytes=kept + mapped,
                verdict=verdict,
            )
        )
    return Curve(
        option="context",
        model=LLAMA_3B,
        device=ORIN_NANO,
        capacity_bytes=ORIN_NANO.capacity_bytes,
        points=tuple(points),
    )


CURVE = curve()

LARGEST = Largest(option="context", value=8192, most=131072, footprint=FITS)

RUNNING = Comparison(
    footprint=FITS,
    process=ProcessMemory(
        pid=4242,
        command=("llama-server", "-m", "Llama-3.2-3B-Instruct-Q4_K_M.gguf", "-c", "8192"),
        pss_bytes=4290 * MIB,
        anonymous_bytes=2410 * MIB,
        file_bytes=1880 * MIB,
        swapped_bytes=0,
        peak_bytes=4301 * MIB,
    ),
    observed_bytes=4290 * MIB,
    residual_bytes=4290 * MIB - FITS.likely_bytes,
    residual_ratio=(4290 * MIB - FITS.likely_bytes) / FITS.likely_bytes,
)

VERIFIED = verified(
    growth=Growth(
        rounds=60,
        warm_up_bytes=4 * MIB,
        bytes_per_round=12.5,
        low_bytes_per_round=-80.0,
        high_bytes_per_round=96.0,
        leaks=False,
    )
)
KILLED = verified(
    observation=ran(
        698,
        outcome="killed",
        reason="killed for memory at 698.0 MiB, while it computed the prompt",
        limit=Limit(mechanism="cgroup_v1", limit_bytes=700 * MIB),
        peak_limit_bytes=700 * MIB,
        paging=Paging(major_faults=12, refaults=83362, refaults_scope="cgroup", limit_failures=9031, oom_kills=1),
        decode_tokens_per_s=None,
    ),
    verdict="killed",
    runs=False,
    reason="killed for memory at 698.0 MiB, while it computed the prompt",
    unlimited_decode_tokens_per_s=20.0,
)

CALIBRATION = Calibration(
    machine="intel-xeon-processor",
    engine="llama_cpp",
    version="0c1e570 (llama-cpp-python 0.3.36)",
    backend="cpu",
    residuals=(
        Residual(
            setting="8d1f3a5b7c9e0f12",
            model="Llama-3.2-1B",
            likely_bytes=1508 * MIB,
            observed_bytes=(1503 * MIB, 1504 * MIB, 1502 * MIB),
            unevictable_bytes=720 * MIB,
            observations=(3, 4, 9),
            last="2026-11-25T10:00:00Z",
        ),
        Residual(
            setting="0a1b2c3d4e5f6071",
            model="Qwen3-1.7B",
            profile="server",
            likely_bytes=1900 * MIB,
            observed_bytes=(1931 * MIB,),
            unevictable_bytes=800 * MIB,
            observations=(10,),
            last="2026-11-26T10:00:00Z",
        ),
    ),
)

RECORDS = {
    "fits": FITS,
    "tight": TIGHT,
    "too_big": TOO_BIG,
    "separate": SEPARATE,
    "curve": CURVE,
    "device": ORIN_NANO,
    "largest": LARGEST,
    "running": RUNNING,
    "calibration": CALIBRATION,
    "verified": VERIFIED,
    "killed": KILLED,
    **MADE,
    **MEASURED,
    **TRANSFERS,
    **FIT_ANSWERS,
    **SHOWN,
    **AUDITED,
    **CHANGES,
    **BSP,
}
