"""What a shell offers after TAB: the names of the catalogs, and files. Run by the shell only, so each imports late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from memfit.catalog import fold

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def _starting(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    """Names that begin so, whatever their case and punctuation."""
    from click.shell_completion import CompletionItem

    start = fold(incomplete)
    return [CompletionItem(name) for name in names if fold(name).startswith(start)]


def files() -> list[CompletionItem]:
    """Leave it to the shell, which knows its files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem("", type="file")]


def paths(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Files: click offers nothing for an option that takes text."""
    return files()


def devices(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Boards."""
    from memfit.device.boards import BOARDS

    keys = BOARDS.keys()
    return _starting(incomplete, (key.replace("_", "-") for key in keys))


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Well-known models, or else files."""
    from memfit.model.cards import CARDS

    if not incomplete or incomplete[0] in "./~":
        return files()
    return _starting(incomplete, (card.name for card in CARDS)) or files()


def presets(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Quantization presets."""
    from memfit.precision.presets import PRESETS

    return _starting(incomplete, (preset.name for preset in PRESETS))


def formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Quantization presets, and schemes of checkpoints."""
    from memfit.precision.presets import PRESETS
    from memfit.precision.schemes import SCHEMES

    return _starting(incomplete, (*(preset.name for preset in PRESETS), *SCHEMES.keys()))


def kv_types(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Formats of a KV cache, as llama.cpp writes them; after a slash the one of V."""
    from memfit.precision import kv_formats

    first, slash, _ = incomplete.rpartition("/")
    return _starting(incomplete, (f"{first}{slash}{form.name.lower()}" for form in kv_formats()))


def engines(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Inference runtimes."""
    from memfit.engine.runtimes import ENGINES

    return _starting(incomplete, ENGINES.keys())


def records(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Records that ``--json`` prints."""
    from memfit.render import record_names

    return _starting(incomplete, record_names())
