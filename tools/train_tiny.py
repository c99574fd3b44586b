"""Makes ``models/memfit-tiny``: collects text, trains tokenizer and weights, exports, measures, writes the card.

python -m venv /tmp/tiny && . /tmp/tiny/bin/activate
pip install torch==2.13.0 llama-cpp-python==0.3.36 -e .
python tools/train_tiny.py
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import resource
import time
from pathlib import Path

import torch

from tiny import byte_pair, corpus, export, importance, manifest, measure, training
from tiny.baseline import baselines
from tiny.network import Sizes

N_VOCAB = 3584
FOLDER = Path(__file__).resolve().parent.parent / "models" / "memfit-tiny"
SAMPLES = (
    "def merge(*iterables, key=None, reverse=False):\n"
    "    '''Merge sorted inputs.'''\n\treturn  [x**2 for x in range(10)]\n",
    "it's  we've I'LL 3.14159e-10 naïve Größe λ→∞ 日本語 🙂 <|endoftext|>\r\n\n   \n",
)
"""Texts whose ids are kept, for the engine's tokenizer to be held against."""


def main() -> None:
    """Run every step; the same machine and library give the same bytes each time."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=FOLDER, help="where the model goes")
    arguments.add_argument("--shorten", type=int, default=1, metavar="N", help="train for 1/N of the steps, to try it")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(True)
    started = time.monotonic()

    texts = corpus.collect()
    tokenizer = byte_pair.train((text for _, text in texts.train), N_VOCAB)
    train_ids, held_out_ids = (_stream(tokenizer, documents) for documents in (texts.train, texts.held_out))
    recipe = training.Recipe()
    recipe = dataclasses.replace(
        recipe, shares=tuple(dataclasses.replace(share, steps=share.steps // given.shorten) for share in recipe.shares)
    )
    sizes = Sizes(tokenizer.n_vocab, n_ctx_train=max(share.length_tokens for share in recipe.shares))
    p, curve = training.train(sizes, recipe, train_ids, tokenizer.end_of_text)
    export.export(given.folder / manifest.MODEL, p, sizes, tokenizer)
    sums, tokens = importance.gather(p, sizes, train_ids, tokenizer.end_of_text)
    importance.export(given.folder / manifest.IMPORTANCE, sums, tokens, ["CPython standard library, training part"])
    usage = resource.getrusage(resource.RUSAGE_SELF)
    manifest.write(
        given.folder,
        {
            "files": manifest.files(given.folder),
            "sizes": dataclasses.asdict(sizes),
            "parameters": sum(tensor.numel() for tensor in p.values()),
            "recipe": dataclasses.asdict(recipe) | {"tokens": recipe.tokens},
            "corpus": {
                "sha256": texts.sha256,
                "documents": len(texts.train),
                "bytes": sum(len(text.encode()) for _, text in texts.train),
                "tokens": len(train_ids),
                "held_out_modules": list(corpus.HELD_OUT),
                "held_out_bytes": sum(len(text.encode()) for _, text in texts.held_out),
                "held_out_tokens": len(held_out_ids),
            },
            "curve": [dataclasses.asdict(point) for point in curve],
            "baselines": dataclasses.asdict(baselines(train_ids, held_out_ids, tokenizer.n_vocab)),
            "samples": [{"text": text, "ids": tokenizer.encode(text)} for text in SAMPLES],
            "run": {
                "elapsed_s": round(time.monotonic() - started),
                "cpu_s": round(usage.ru_utime + usage.ru_stime),
                "cpu": _processor(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "torch": torch.__version__,
            },
        },
    )
    measure.measure(given.folder)
    print((given.folder / manifest.CARD).read_text(encoding="utf-8"))


def _stream(tokenizer: byte_pair.Tokenizer, documents: tuple[tuple[str, str], ...]) -> torch.Tensor:
    """The ids of all documents in a row, ``END_OF_TEXT`` before each."""
    ids: list[int] = []
    for _, text in documents:
        ids += [tokenizer.end_of_text, *tokenizer.encode(text)]
    return torch.tensor(ids)


def _processor() -> str:
    """The processor's name as Linux gives it, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
