"""Inference runtimes, one file each: how to bring one up without a model, and what a document says it takes."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.measure.baselines._runtime import Runtime

RUNTIMES: Catalog[Runtime] = Catalog(__name__, Path(__file__).parent, constant="RUNTIME", kind="runtime", type=Runtime)

__all__ = ["RUNTIMES", "Runtime"]
