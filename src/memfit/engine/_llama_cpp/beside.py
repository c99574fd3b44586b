"""What runs beside the model in the same process: projectors and LoRA adapters."""

from __future__ import annotations

from collections.abc import Iterable

from memfit.device.records import Device
from memfit.engine._llama_cpp.projector import projector_bytes
from memfit.engine.records import Options, Part, Term
from memfit.model.adapters import adapter_bytes
from memfit.model.shape import ModelShape


def projector_term(projector: ModelShape, options: Options, device: Device) -> Term:
    """Weights and graph of an ``mmproj`` file, which is read into memory whatever the load mode."""
    size = projector_bytes(projector.towers, projector.tensors, options.backend)
    return Term(
        name="projector",
        pool="unified" if device.unified else "gpu" if options.backend == "cuda" else "host",
        low_bytes=size.weights_bytes + size.compute_low_bytes,
        likely_bytes=size.weights_bytes + size.compute_likely_bytes,
        high_bytes=size.weights_bytes + size.compute_high_bytes,
        source="formula",
        formula="tensor bytes read into a buffer, and the encoder's graph at its largest image or sound",
        error=size.error,
        parts=(
            Part(name="weights", bytes=size.weights_bytes),
            Part(name="encoder graph", bytes=size.compute_high_bytes),
        ),
    )


def adapters_part(adapters: Iterable[ModelShape]) -> Part:
    """All LoRA adapters together.

    Their products are computed in what the graph has reserved anyway: the engine reserves once more when an adapter is
    set, and took the same (layers of Llama-3.1-8B, ranks 16 and 256, one row of logits and 512; 0c1e57098).
    """
    return Part(name="LoRA adapters", bytes=sum(adapter_bytes(adapter.tensors) for adapter in adapters))
