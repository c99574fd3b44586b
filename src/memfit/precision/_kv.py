"""The formats that a KV cache may have."""

from __future__ import annotations

from memfit.errors import UnknownName
from memfit.precision._format import Format
from memfit.precision.formats import FORMATS


def kv_formats(head_length: int | None = None) -> tuple[Format, ...]:
    """The formats llama.cpp takes for ``--cache-type-k`` and ``--cache-type-v``, most bits first; the default is F16.

    A quantized V needs flash attention; models with latent attention take the same format for K and V
    (``llama_init_from_model``, llama.cpp src/llama-context.cpp, 0c1e57098).

    Args:
        head_length: numbers in one head of K or V, to leave out formats whose blocks do not divide it: the engine
            refuses those under flash attention.
    """
    accepted = (format for format in FORMATS if format.kv_cache)
    fitting = (format for format in accepted if head_length is None or head_length % format.block_elements == 0)
    return tuple(sorted(fitting, key=lambda format: (-format.bits, format.name)))


OTHER_KV_FORMATS = ("FP8", "INT8")
"""8-bit caches of engines other than llama.cpp, which has none of these names: a byte a number, scales left out."""


def kv_format(name: str) -> Format:
    """The KV cache format of this name, in either case (``q8_0``).

    Raises:
        UnknownName: no format, or one that llama.cpp takes for weights only; the hint names the nearest it takes.
    """
    key = name.lower()
    keys = FORMATS.keys()
    if key in keys and FORMATS.get(key).kv_cache:
        return FORMATS.get(key)  # the common case looks at one file, not at all of them
    accepted = {format.name.lower(): format for format in kv_formats()}
    if key not in accepted:
        raise UnknownName("KV cache format", name, accepted)
    return accepted[key]
