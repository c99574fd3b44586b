"""bitsandbytes: four bits in blocks of 64, or eight with a scale a row."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.quantizations._method import Method, kept
from memfit.model.quantizations._quantization import Quantization, Weights

BLOCK = 64  # blocksize of Params4bit, bitsandbytes/nn/modules.py


def read(config: Section) -> Quantization:
    """The fields of ``BitsAndBytesConfig``.

    Raises:
        Malformed: a field is of the wrong kind, or four and eight bits at once, or neither.
    """
    four = config.flag("load_in_4bit") or config.flag("_load_in_4bit")
    eight = config.flag("load_in_8bit") or config.flag("_load_in_8bit")
    if four == eight:
        both = "and load_in_8bit are both true" if four else "and load_in_8bit are both false"
        raise config.malformed("load_in_4bit", both)
    weights = (
        Weights(bits=4, kind="float", strategy="group", group_size=BLOCK)
        if four
        else Weights(bits=8, kind="int", strategy="channel", activation_bits=8)
    )
    return Quantization(
        method="bitsandbytes",
        format=config.text("bnb_4bit_quant_type", "fp4") if four else "int8",
        weights=(weights,),
        double=four and config.flag("bnb_4bit_use_double_quant"),
        kept_modules=kept(config, "llm_int8_skip_modules"),
    )


METHOD = Method(
    name="bitsandbytes",
    summary="NF4 or FP4 in blocks of 64, or INT8 by row",
    source="transformers 5.23.0 utils/quantization_config.py, BitsAndBytesConfig",
    read=read,
)
