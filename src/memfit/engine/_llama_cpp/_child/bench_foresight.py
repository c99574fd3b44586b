"""What a format on one weight is foreseen to do to the predictions: by moments alone, where probes would take too long.

KL(base || changed) is near to tr(G E H Eᵀ) / 2 for errors E of a weight, see ``bench_gradients``. Errors of different
rows have nothing to do with each other where each row is rounded for itself, so that the diagonal of G is enough, and
some rows tell of all. A probe of all weights takes as many passes over the model as it has weights; this takes none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_weights import Codec, Guide, Weight, stride

# what probes show over what is foreseen, the mean of 35 matrices of the shipped model in Q3_K: single ones lie apart
# from it by 16 % (one standard deviation), the logarithms of both correlate with 0.995
_SHOWN = 1.28


def foreseen(codec: Codec, weight: Weight, kind: int, guide: Guide, gradients: Any, most_rows: int) -> float | None:
    """Nats a token, None where moments are missing.

    Args:
        codec: of the weight, a matrix.
        weight: see there.
        kind: the format it is stored in.
        guide: what its columns count for.
        gradients: second moments of gradients at its outputs, (blocks, rows, rows); None for none.
        most_rows: of the weight that are looked at, evenly spread.
    """
    if gradients is None or guide.moments is None:
        return None
    step = stride(weight, most_rows)
    slopes = np.concatenate([np.diagonal(one) for one in gradients])[::step].astype(np.float64)
    blocks, size = guide.moments.shape[:2]
    found, at = 0.0, 0
    for _, values in codec.matrices(weight, most_rows, balance=guide.balance):
        off = codec.decode(kind, codec.encode_by(kind, values, guide._replace(rows=None)), weight.dims[0]) - values
        cut = off.reshape(-1, blocks, size).transpose(1, 0, 2)
        lost = np.einsum("bij,bij->i", np.matmul(cut, guide.moments), cut, dtype=np.float64)
        found += float(slopes[at : at + len(lost)] @ lost)
        at += len(lost)
    return _SHOWN / 2 * found * weight.rows / len(slopes)
