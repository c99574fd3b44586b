"""A model sent to a board without internet, over ssh or on a drive, checked at the other end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from memfit.cli._completion import models
from memfit.cli._output import Outputs, output_options, show
from memfit.cli._progress import progress

_HELP = """A model sent to a board without internet, over ssh or on a drive, checked at the other end.

\b
  memfit push model.gguf ssh://user@192.168.55.1/opt/models     over USB device mode
  memfit push model.gguf ssh://orin/~/models --ollama my-model
  memfit push model.gguf /media/usb_drive
  memfit push model.gguf ssh://orin/opt/models --dry-run        how long over each link

MODEL is a GGUF file (any shard of a split one stands for all), a checkpoint's folder, which keeps its name there, or a
model of Ollama's store, which is given a name that ends in .gguf. What breaks leaves NAME.part there, and the same
command goes on from it. Nothing is installed on the board: ssh, a shell and sha256sum are enough.

--ollama NAME makes Ollama there know it (`ollama create`)."""


@click.command("push", help=_HELP)
@click.argument("model", shell_complete=models)
@click.argument("place", metavar="ssh://DEVICE/DIR|DIR")
@click.option("--ollama", "imported", metavar="NAME", default="", help="Import it into the device's Ollama as NAME.")
@click.option("--dry-run", is_flag=True, help="Send nothing: sizes, and the time over each link.")
@click.option("--overwrite", is_flag=True, help="Replace another file of that name there.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.errors import UsageError
    from memfit.host.send import Push, import_into_ollama, link_times, parse_place, send
    from memfit.model.sending import files_of, name_there

    outputs = Outputs.take(given)
    place = parse_place(given["place"])
    name: str = given["imported"]
    if name and (name.startswith("-") or any(char.isspace() for char in name)):
        raise UsageError(f"--ollama {name!r} is no name for a model", hint="write it as ollama list shows names")
    if name and place.target is None:
        raise UsageError("--ollama needs a machine to run on", hint="name it: ssh://device/folder")
    if "://" in given["model"]:
        raise UsageError(
            f"{given['model']} is not on this machine", hint=f"bring it here first: memfit pull {given['model']}"
        )
    folder, files = files_of(given["model"])
    if name and folder:
        raise UsageError("Ollama imports GGUF files", hint="convert the checkpoint, or leave out --ollama")
    if folder:
        place = msgspec.structs.replace(place, folder=f"{place.folder}/{folder}")
        if place.target is None and not given["dry_run"]:
            _make_folder(Path(place.folder))
    size = sum(file.stat().st_size for file in files)
    sent = []
    for file in [] if given["dry_run"] else files:
        called = name_there(given["model"], file)
        with progress(called) as line:
            sent.append(send(file, place, name=called, progress=line, overwrite=given["overwrite"]))
    if sent and name:
        import_into_ollama(place, name_there(given["model"], files[0]), name)
    show(
        Push(
            model=given["model"],
            place=given["place"],
            files=tuple(sent),
            bytes=size,
            links=link_times(size),
            imported=name if sent else "",
        ),
        outputs,
    )


def _make_folder(folder: Path) -> None:
    from memfit.errors import ProbeError

    try:
        if folder.parent.is_dir():  # a drive that is not mounted is not made
            folder.mkdir(exist_ok=True)
    except OSError as failure:
        raise ProbeError(f"{folder}: {failure.strerror}", hint="name a folder that you may write to") from failure
