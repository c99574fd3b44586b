"""Files that cannot be opened as a model, each with what to do about it. What the bytes tell is in ``_foreign``."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from memfit.errors import ModelError, NotAModel, Truncated

# names that downloaders give to what they have not finished: curl and wget wrappers, huggingface_hub, aria2, browsers
UNFINISHED = (".part", ".partial", ".incomplete", ".aria2", ".crdownload", ".download", ".tmp")


def resume_hint(file: str) -> str:
    """What to do about a file that ends too early."""
    if file.lower().endswith(UNFINISHED):
        return "it is still being downloaded: wait for it or resume it (curl -C -, wget -c, hf download)"
    return "resume the download (curl -C -, wget -c, hf download) or copy the file again"


def exists(path: Path) -> bool:
    """Whether the file is there, as far as can be told."""
    try:
        return path.exists()
    except OSError:
        return False


def is_entry(path: Path) -> bool:
    """Whether its folder has such an entry, also where that is a link which leads nowhere."""
    try:
        return os.path.lexists(path)
    except (OSError, ValueError):
        return False


def refuse_unfinished(path: Path) -> None:
    """Refuses what a downloader has not finished, whatever its size: some reserve all of it at the start.

    Raises:
        Truncated: by its name, or because aria2 keeps its list of missing pieces beside it.
    """
    name = path.name.lower()
    if name.endswith(".aria2"):
        raise Truncated(
            f"lists what aria2 has yet to download of {path.stem}",
            file=str(path),
            hint="resume the download with the same aria2c command",
        )
    if exists(path.with_name(path.name + ".aria2")):
        raise Truncated(
            f"is not complete: {path.name}.aria2 lies beside it",
            file=str(path),
            hint="resume the download with the same aria2c command",
        )
    if name.endswith(UNFINISHED):
        raise Truncated(f"is a download in progress ({path.suffix})", file=str(path), hint=resume_hint(str(path)))


def regular_size(path: Path) -> int:
    """Bytes of a regular file.

    Raises:
        ModelError: missing (the hint names the nearest), or not to be reached.
        NotAModel: a folder, a device, a pipe.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as failure:
        raise _missing(path) from failure
    except PermissionError as failure:
        raise ModelError(
            "no permission to look into its folder", file=str(path), hint="run as its owner, or chmod the folder"
        ) from failure
    except (OSError, ValueError) as failure:  # a circle of links, a name too long, a zero byte in it
        raise _unopened(path, failure) from failure
    if stat.S_ISDIR(status.st_mode):
        raise _folder(path)
    if not stat.S_ISREG(status.st_mode):
        raise NotAModel("is not a regular file", file=str(path), hint="give the path of a .gguf file")
    return status.st_size


def refuse_unreadable(path: Path, failure: OSError) -> ModelError:
    """The error for a file that is there and does not open."""
    if isinstance(failure, PermissionError):
        return ModelError("no permission to read it", file=str(path), hint="run as its owner, or chmod +r the file")
    return _unopened(path, failure)


def _unopened(path: Path, failure: Exception) -> ModelError:
    number = failure.errno if isinstance(failure, OSError) else None
    hint = "check the path"
    if number == errno.ELOOP:
        hint = "its links lead in a circle: give the file that they should lead to"
    elif number in (errno.EIO, errno.ESTALE):
        hint = "check the disk and the mount"
    return ModelError(f"cannot be opened: {_reason(failure)}", file=str(path), hint=hint)


def _missing(path: Path) -> ModelError:
    if path.is_symlink():
        return ModelError(
            f"is a link to {path.readlink()}, which does not exist",
            file=str(path),
            hint="the download cache was cleaned or moved; download the model again",
        )
    folder = path.parent
    if not folder.is_dir():
        return ModelError("no such file: its folder does not exist", file=str(path), hint=f"{folder} is missing")
    import difflib  # only on this path: it costs 4 ms to import

    names = sorted(entry.name for entry in _entries(folder))
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    models = [name for name in names if name.endswith(".gguf")]
    if near:
        hint = f"did you mean {folder / near[0]}?"
    elif models:
        hint = f"models in {folder}: {_few(models)}"
    else:
        hint = f"there is no .gguf file in {folder}"
    return ModelError("no such file", file=str(path), hint=hint)


def _folder(path: Path) -> NotAModel:
    names = sorted(entry.name for entry in _entries(path))
    models = [name for name in names if name.endswith(".gguf")]
    if models:
        hint = f"give the file: {_few([str(path / name) for name in models])}"
    elif "config.json" in names or any(name.endswith(".safetensors") for name in names):
        more = "" if "config.json" in names else "download its config.json too, or "
        hint = f"a Hugging Face checkpoint: {more}convert it with convert_hf_to_gguf.py"
    else:
        hint = "there is neither a .gguf file nor a config.json in it: give the path of one"
    return NotAModel("is a folder", file=str(path), hint=hint)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _reason(failure: Exception) -> str:
    return (failure.strerror if isinstance(failure, OSError) else None) or str(failure)
