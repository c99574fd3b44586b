"""Inference runtimes, one file each."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.engine._engine import Engine

ENGINES: Catalog[Engine] = Catalog(__name__, Path(__file__).parent, constant="ENGINE", kind="engine", type=Engine)

__all__ = ["ENGINES", "Engine"]
