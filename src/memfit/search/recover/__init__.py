"""What quantization took, won back: a model in its formats is trained to predict as its base does.

Quantization-aware distillation. The student computes with what ggml's own quantizers make of its weights, the loss is
the divergence from the base's predictions on the user's text, and what is trained are the weights before they are
quantized. The formats do not change, so the file takes the same bytes as without; no text that a result is measured on
is trained on.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from memfit.errors import EngineMissing, UsageError
from memfit.search.base import Base
from memfit.search.records import Recovered
from memfit.search.recover.records import Recovery, Trained
from memfit.search.session import Said, Session
from memfit.search.setting import Setting

__all__ = ["Recovered", "Recovery", "Trained", "is_installed", "recover", "refuse_recovery", "refuse_short"]

_LEAST_WINDOWS = 4
_BALANCE, _TABLE = "output.weight.balance", "token_embd.weight"  # as the workbench names them


def refuse_recovery(base: Base, setting: Setting, asked: Recovery) -> None:
    """Whether this can be trained here: known before hours are spent on a search.

    Args:
        base: see ``recover``.
        setting: of the search.
        asked: see ``recover``.

    Raises:
        EngineMissing, UsageError, MemfitError: as ``recover``.
    """
    _refuse_missing()
    run: Any = importlib.import_module("memfit.search.recover.run")
    run.prepared(base, setting.window_tokens, asked, setting.threads)


def refuse_short(windows: int) -> None:
    """Raises:
    UsageError: there are too few windows to learn from.
    """
    if windows < _LEAST_WINDOWS:
        raise UsageError(
            f"{windows} windows of text, and a recovery needs {_LEAST_WINDOWS}",
            hint="give more text: what it learns from is what it can keep",
        )


def recover(
    session: Session,
    formats: Mapping[str, str],
    asked: Recovery | None = None,
    *,
    said: Said = lambda _what, _done, _total: None,
) -> Trained:
    """Train the base's weights for these formats, on all text of the session that is not kept unseen.

    What it returns goes to ``write`` as ``replaced``; without gain it is empty. An interrupted training goes on where
    it was when the same is asked again, and one that ended is not repeated.

    Args:
        session: with the base, its text and its importances.
        formats: of the tensors that change.
        asked: see there.
        said: told about progress, in thousandths of the whole.

    Raises:
        EngineMissing: PyTorch is not installed.
        UsageError: the architecture cannot be trained here, or there is too little text.
        MemfitError: not enough memory or disk.
        KeyboardInterrupt: at Ctrl-C, once what was learned is kept.
    """
    _refuse_missing()
    refuse_short(len(session.split.seen))
    # only here, as importing PyTorch takes longer than most of what memfit is asked
    numpy: Any = importlib.import_module("numpy")
    run: Any = importlib.import_module("memfit.search.recover.run")
    with numpy.load(session.notes.place("importance.npz")) as found:
        weights = {one.name for one in session.base.changeable}
        importances = {name: found[name] for name in found.files if name in weights}  # and not what lies beside them
        balance = found[_BALANCE] if _BALANCE in found.files else None
        if _TABLE not in importances and f"{_TABLE}.moments" in found.files:  # as the workbench weighs its columns
            importances[_TABLE] = numpy.diagonal(found[f"{_TABLE}.moments"], axis1=1, axis2=2).reshape(1, -1)
    trained: Trained = run.distil(
        session.base,
        formats,
        list(session.bench.tokens(session.split.seen)),
        importances,
        asked or Recovery(),
        folder=session.notes.folder,
        threads=session.setting.threads,
        said=said,
        start=session.file_of(formats),
        balance=balance,
    )
    return trained


def is_installed() -> bool:
    """Whether PyTorch is there; imports nothing."""
    return importlib.util.find_spec("torch") is not None


def _refuse_missing() -> None:
    if not is_installed():
        raise EngineMissing(
            "PyTorch is not installed, without which nothing can be recovered",
            hint="pip install 'memfit[recover]'; for the CPU alone, install torch from PyTorch's own CPU index before",
        )
