"""JetPack: what NVIDIA's system takes, which is no process of its own."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="JetPack",
    module="",
    brings_up="",
    summary="CUDA driver and multimedia stack of a Jetson",
    documented_low_bytes=400_000_000,
    documented_high_bytes=600_000_000,
    note="it is spread over the kernel and the system's services: memfit audit measures those",
)
