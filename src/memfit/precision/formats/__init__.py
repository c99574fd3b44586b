"""Number formats, one file each; the file's name is the format's name in lower case."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.errors import UnknownName
from memfit.precision._format import Format
from memfit.precision._numbers import by_number

FORMATS: Catalog[Format] = Catalog(__name__, Path(__file__).parent, constant="FORMAT", kind="format", type=Format)

# enum ggml_type, llama.cpp ggml/include/ggml.h (0c1e57098); a dash for numbers that were withdrawn
_ORDER = (
    "f32 f16 q4_0 q4_1 - - q5_0 q5_1 q8_0 q8_1 q2_k q3_k q4_k q5_k q6_k q8_k iq2_xxs iq2_xs iq3_xxs iq1_s iq4_nl iq3_s "
    "iq2_s iq4_xs i8 i16 i32 i64 f64 iq1_m bf16 - - - tq1_0 tq2_0 - - - mxfp4 nvfp4 q1_0 q2_0"
)


def format_of(number: int) -> Format:
    """The format of a tensor by ggml's type number in a GGUF file.

    Raises:
        UnknownName: a number that ggml withdrew or never had.
    """
    format = by_number(FORMATS, number, lambda format: format.number, order=_ORDER)
    if format is None:
        raise UnknownName("ggml type number", str(number), (str(format.number) for format in FORMATS))
    return format


__all__ = ["FORMATS", "Format", "format_of"]
