"""Safetensors files: their headers, and the index of a model that is split into several."""

from memfit.model.safetensors.header import parse_header, read_header
from memfit.model.safetensors.index import Index, parse_index, read_index
from memfit.model.safetensors.records import BITS, SafetensorsHeader

__all__ = ["BITS", "Index", "SafetensorsHeader", "parse_header", "parse_index", "read_header", "read_index"]
