"""One file an architecture; the file's name is the name in a GGUF header with ``-`` written ``_``."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.architectures._architecture import Architecture, Plan, TensorSpec

ARCHITECTURES: Catalog[Architecture] = Catalog(
    __name__, Path(__file__).parent, constant="ARCHITECTURE", kind="architecture", type=Architecture
)

__all__ = ["ARCHITECTURES", "Architecture", "Plan", "TensorSpec"]
