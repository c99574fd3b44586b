"""A quantization that nobody made yet: the mix by memfit's rules beside the engine's own dry run."""

from __future__ import annotations

from collections.abc import Mapping

from memfit.engine._llama_cpp.oracle import Described, quantize
from memfit.errors import Disagreement
from memfit.model.metadata import Value
from memfit.model.shape import ModelShape
from memfit.precision.presets import PRESETS


def agree_on_format(shape: ModelShape, header: Mapping[str, Value], preset: str) -> None:
    """Hold every tensor of ``shape``, which is in ``preset``, against what llama.cpp's quantization would write.

    Raises:
        Disagreement: a tensor of another size; the first few are named.
        EngineMissing, EngineFailed: the engine did not answer.
    """
    # what stays in F32 stays so in any conversion; everything else may come from F16, which every format quantizes from
    wide = [(tensor.name, tensor.dims, "F32" if tensor.format == "F32" else "F16") for tensor in shape.tensors]
    dry = quantize(Described(metadata=header, tensors=wide), PRESETS.get(preset).file_type)
    engine = {tensor.name: tensor.bytes for tensor in dry.tensors}
    wrong = [tensor for tensor in shape.tensors if engine.get(tensor.name) != tensor.bytes]
    if wrong:
        named = ", ".join(f"{tensor.name} {tensor.bytes} beside {engine.get(tensor.name)}" for tensor in wrong[:3])
        raise Disagreement(
            f"{preset}: {len(wrong)} of {len(shape.tensors)} tensors differ from {dry.engine.label}: {named}",
            hint="report it; until then quantize the file and estimate that",
        )
