"""Bytes of number formats, and the mixes of them that quantization presets stand for.

Reading a file's header needs no more than ``format_of``. Presets are in ``memfit.precision.presets``, what they make of
a model in ``memfit.precision.mixture``: apart, because headers are read far more often than models are quantized.
"""

from memfit.precision._format import Format
from memfit.precision._kv import OTHER_KV_FORMATS, kv_format, kv_formats
from memfit.precision.formats import FORMATS, format_of

__all__ = ["FORMATS", "OTHER_KV_FORMATS", "Format", "format_of", "kv_format", "kv_formats"]
