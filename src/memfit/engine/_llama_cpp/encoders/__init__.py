"""One file a kind of projector; the file's name is ``clip.projector_type`` with other characters written ``_``."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.engine._llama_cpp.encoders._encoder import Encoder, Projector

PROJECTORS: Catalog[Projector] = Catalog(
    __name__, Path(__file__).parent, constant="PROJECTOR", kind="projector", type=Projector
)

__all__ = ["PROJECTORS", "Encoder", "Projector"]
