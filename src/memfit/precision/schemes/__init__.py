"""Weight formats of checkpoints that are not GGUF, one file each; the file's name is the format's name."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.precision._scheme import Scheme

SCHEMES: Catalog[Scheme] = Catalog(__name__, Path(__file__).parent, constant="SCHEME", kind="scheme", type=Scheme)

__all__ = ["SCHEMES", "Scheme"]
