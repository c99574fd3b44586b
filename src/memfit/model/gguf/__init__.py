"""GGUF files: headers read without tensor data (``read_shards``), and written (``writer``)."""

from memfit.model.gguf.header import ArrayInfo, Header
from memfit.model.gguf.reader import read_header
from memfit.model.gguf.shards import read_shards, shard_paths

__all__ = ["ArrayInfo", "Header", "read_header", "read_shards", "shard_paths"]
