"""Number formats, one file each; the file's name is the format's name in lower case."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.precision._format import Format

FORMATS: Catalog[Format] = Catalog(__name__, Path(__file__).parent, constant="FORMAT", kind="format", type=Format)

__all__ = ["FORMATS", "Format"]
