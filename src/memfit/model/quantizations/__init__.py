"""How a checkpoint's weights are quantized: one reader for each ``quant_method`` of a ``quantization_config``."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.quantizations._method import Method
from memfit.model.quantizations._quantization import Quantization, Weights

METHODS: Catalog[Method] = Catalog(
    __name__, Path(__file__).parent, constant="METHOD", kind="quantization method", type=Method
)

__all__ = ["METHODS", "Method", "Quantization", "Weights"]
