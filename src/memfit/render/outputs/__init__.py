"""Outputs, one file each: from a document to a terminal, a page, a picture, a file."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.render.outputs._output import Output, Request

OUTPUTS: Catalog[Output] = Catalog(__name__, Path(__file__).parent, constant="OUTPUT", kind="output", type=Output)

__all__ = ["OUTPUTS", "Output", "Request"]
