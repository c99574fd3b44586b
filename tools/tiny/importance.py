"""The importance of every column of every weight: the mean square of the activations it multiplies.

The same quantity that llama.cpp's imatrix tool gathers (``IMatrixCollector``, tools/imatrix/imatrix.cpp, commit
0c1e57098), in the same file format, so its quantizer takes the file as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from memfit.model.gguf.writer import Typed, Writable
from tiny import network
from tiny.gguf_file import write
from tiny.network import Parameters, Sizes

LENGTH_TOKENS = 512
WINDOWS = 64


def gather(p: Parameters, sizes: Sizes, stream: torch.Tensor, start_of_text: int) -> tuple[Parameters, int]:
    """Sums of squares by weight, and the tokens they were summed over.

    Args:
        p: parameters by GGUF name.
        sizes: sizes of the network.
        stream: training ids in a row; ``WINDOWS`` windows are taken at equal distances.
        start_of_text: id put at the start of every window.
    """
    sums: Parameters = {}
    tokens: Counter[str] = Counter()

    def watch(weight: str, x: torch.Tensor) -> None:
        rows = x.flatten(0, -2).float()
        sums[weight] = sums.get(weight, torch.zeros(rows.shape[1])) + rows.square().sum(0)
        tokens[weight] += len(rows)

    turn = network.rotation(sizes, LENGTH_TOKENS)
    with torch.no_grad():
        for start in range(0, len(stream) - LENGTH_TOKENS, (len(stream) - LENGTH_TOKENS) // (WINDOWS - 1)):
            ids = stream[start : start + LENGTH_TOKENS].clone()
            ids[0] = start_of_text
            network.logits(p, sizes, ids[None], turn, watch)
    return sums, max(tokens.values())


def export(path: Path, sums: Parameters, tokens: int, datasets: Sequence[str]) -> None:
    """Write the sums as an imatrix file.

    Args:
        path: file to write.
        sums: sums of squares by weight.
        tokens: how many tokens were summed.
        datasets: names of the texts.
    """
    metadata: dict[str, Writable] = {
        "general.type": "imatrix",
        "imatrix.datasets": Typed("str", tuple(datasets)),
        "imatrix.chunk_count": tokens // LENGTH_TOKENS,
        "imatrix.chunk_size": LENGTH_TOKENS,
    }
    tensors = {}
    for name in sorted(sums):
        tensors[f"{name}.in_sum2"] = sums[name][None]
        tensors[f"{name}.counts"] = torch.full((1, 1), float(tokens))
    write(path, metadata, tensors)
