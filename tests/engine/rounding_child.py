"""Tries ggml's formats in a process of its own: one JSON object on its output, figures by format.

The product's child loads the engine without its package, which no process of the tests may be left with.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child.bench_coupling import coupling
from memfit.engine._llama_cpp._child.bench_layouts import LAYOUTS, values
from memfit.engine._llama_cpp._child.bench_moments import Moments, lost
from memfit.engine._llama_cpp._child.bench_weights import Codec, Guide
from memfit.engine._llama_cpp._child.library import Library
from memfit.engine._llama_cpp.child import package_folder

_ROWS, _COLUMNS, _TOKENS = 70, 512, 4000
_COUPLED = 32  # rows of a block


def weights(random: Any) -> Any:
    """Rows of every kind: of many sizes, nothing at all, blocks and groups of nothing, one sign."""
    found = random.standard_normal((_ROWS, _COLUMNS)) * np.exp(random.standard_normal((_ROWS, 1)))
    found[3], found[4, :256], found[5, :40] = 0, 0, 0
    found[6:8] = np.abs(found[6:8])
    found[8] = -np.abs(found[8])
    found[9, 17] = 300
    return found.astype(np.float32)


def activations(random: Any) -> Any:
    """Rows whose columns go together, and are of very different sizes; their moments are exact, whatever adds them."""
    few = random.integers(-1, 2, (_TOKENS, 40)) @ random.integers(-1, 2, (40, _COLUMNS))
    found = few + random.integers(-2, 3, few.shape)
    return np.ldexp(found.astype(np.float32), random.integers(-2, 3, _COLUMNS))


def tried(kind: int, codecs: list[Codec], rows: Any, guide: Guide, gradients: Any) -> dict[str, Any]:
    """What became of the rows in one format."""
    layout, line = LAYOUTS[kind], guide.line(0)
    plain = codecs[0].encode(kind, rows, line)
    parts = layout.unpack(plain.reshape(-1, layout.block_bytes))
    decoded = codecs[0].decode(kind, plain, _COLUMNS)
    fed = [codec.encode_by(kind, rows, guide) for codec in codecs]
    piecewise = [codecs[1].encode_by(kind, rows[start : start + 9], guide) for start in range(0, _ROWS, 9)]
    off = [decoded - rows, codecs[0].decode(kind, fed[0], _COLUMNS) - rows]
    by_row = [[lost(one[at : at + 1], guide.moments) for at in range(_ROWS)] for one in off]
    return {
        "packed_again": bool((layout.pack(parts).reshape(-1) == plain).all()),
        "decoded": float(np.abs(values(layout, parts).reshape(rows.shape) - decoded).max()),
        "same_by_threads": bool((fed[0] == fed[1]).all()),
        "same_by_pieces": bool((np.concatenate(piecewise) == fed[0]).all()),
        "worse_rows": [at for at in range(_ROWS) if by_row[1][at] > by_row[0][at] * 1.0001],
        "share": sum(by_row[1]) / sum(by_row[0]),
        "bytes": int(fed[0].nbytes == plain.nbytes),
        **coupled(kind, codecs, rows, guide, gradients),
        "digest": hashlib.sha256(fed[0].tobytes()).hexdigest(),
    }


def coupled(kind: int, codecs: list[Codec], rows: Any, guide: Guide, gradients: Any) -> dict[str, Any]:
    """What coupling rows by moments of gradients, (blocks, rows, rows), makes of the power of their errors."""
    rows = rows[-len(gradients) * _COUPLED :]
    near = guide._replace(rows=[coupling(one) for one in gradients])
    data = [codec.encode_by(kind, rows, near) for codec in codecs]
    second = codecs[0].encode_by(kind, rows[_COUPLED:], near, 0, _COUPLED)
    power = []
    for one in (codecs[0].encode_by(kind, rows, guide), data[0]):
        off = (codecs[0].decode(kind, one, _COLUMNS) - rows).reshape(len(gradients), _COUPLED, -1)
        by_row = np.concatenate([root @ each for root, each in zip(np.linalg.cholesky(gradients), off, strict=True)])
        power.append(lost(by_row.astype(np.float32), guide.moments))
    return {
        "coupled_same": bool((data[0] == data[1]).all() and (data[0].reshape(2, -1)[1] == second).all()),
        "coupled_share": power[1] / power[0],
        "coupled_digest": hashlib.sha256(data[0].tobytes()).hexdigest(),
    }


def main() -> None:
    """All formats, with moments of two blocks that ``Moments`` would cut."""
    random = np.random.default_rng(5)
    rows, fed_by = weights(random), activations(random)
    moments = Moments()
    moments.add("one", 1, np.concatenate([fed_by] * 4, axis=1)[:, : 1024 + 256])  # more than are held as a whole
    moments.finish()
    blocks = moments.prepared("one")[:2]
    guide = Guide((fed_by * fed_by).mean(axis=0)[None], moments.means["one"][:2], blocks)
    library = Library(str(package_folder()), [])
    codecs = [Codec(library, 1), Codec(library, 3)]
    slopes = random.integers(-2, 3, (2, 400, 6)) @ random.integers(-2, 3, (2, 6, _COUPLED))
    slopes = (slopes + random.integers(-2, 3, slopes.shape)).astype(np.float32)
    gradients = slopes.transpose(0, 2, 1) @ slopes / 512
    json.dump({kind: tried(kind, codecs, rows, guide, gradients) for kind in LAYOUTS}, sys.stdout)


if __name__ == "__main__":
    main()
