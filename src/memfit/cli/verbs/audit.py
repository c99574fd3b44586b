"""Where every MB of a device went, who holds it, and what could be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UsageError
from memfit.render.untrusted import clean

_HELP = """Where every MB of a device went, who holds it, and what could be taken back.

\b
  memfit audit                                 this machine; with sudo it sees all
  memfit audit --host jetson                   over SSH, with your own configuration
  memfit audit --record jetson.tar.gz --redact what it saw, to send to somebody
  memfit audit --recorded jetson.tar.gz        the same audit from that file
  memfit audit --root /mnt/rootfs              an unpacked image
  memfit audit --watch                         live, once a second
  memfit audit --tegrastats tegrastats.log     a log of tegrastats as plots
  memfit audit --json | jq .unexplained_bytes

\b
An audit only reads: nothing is written, no CUDA context is made."""


@click.command("audit", help=_HELP)
@click.option("--host", metavar="TARGET", help="A machine for ssh: an alias, user@host, ssh://user@host:port.")
@click.option("--sudo", is_flag=True, help="With --host: read as root, where sudo needs no password.")
@click.option("--root", metavar="FOLDER", help="An unpacked image of a device.")
@click.option("--recorded", metavar="FILE", help="What --record wrote.")
@click.option("--record", "record_file", metavar="FILE", help="Write all that was seen to FILE.tar.gz.")
@click.option("--redact", is_flag=True, help="With --record: without serial numbers, names and addresses.")
@click.option("--watch", is_flag=True, help="Follow it live; Ctrl-C ends.")
@click.option("--tegrastats", "log_file", metavar="LOG", help="Read a log of tegrastats of any release.")
@click.option("--explain", is_flag=True, help="Every term with its source, and known causes of the rest.")
@click.option("--processes", is_flag=True, help="Every process by its share.")
@click.option("--checks", is_flag=True, help="The preflight list, all of it.")
@click.option("--needs", multiple=True, metavar="LIST", help="What the product uses: display,camera,…")
@output_options
def COMMAND(**given: Any) -> int:  # noqa: N802  the catalog's constant
    """Run the verb; returns the exit code."""
    outputs = Outputs.take(given)
    log_file = given.pop("log_file")
    if log_file is not None:
        return _log(log_file, given, outputs)
    view = _view(given)
    if given["watch"]:
        return _watch(given, view, outputs)
    from memfit.cli._changing import audit_with_knobs, needs_of

    show(audit_with_knobs(_door(given), needs_of(given["needs"])), outputs, view=view)
    return 0


_LONGEST_LINE = 1 << 16
_VIEWS = {"explain": "dram", "processes": "holders", "checks": "preflight"}


def _view(given: dict[str, Any]) -> str | None:
    asked = [option for option in _VIEWS if given[option]]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} are two views", hint="ask for one of them at a time")
    return _VIEWS[asked[0]] if asked else None


def _door(given: dict[str, Any]) -> Any:
    """The machine that was named; what it knows is written first where that was asked for."""
    from memfit.device.audit import audit_paths
    from memfit.host import Manifest, open_host
    from memfit.knob.offers import offer_paths

    names = {name: given[name] for name in ("host", "root", "recorded", "sudo")}
    if given["redact"] and given["record_file"] is None:
        raise UsageError("--redact without --record", hint="memfit audit --record FILE.tar.gz --redact")
    paths = (*audit_paths(), *offer_paths())
    host = open_host(names.pop("host"), paths=paths, **names)
    if given["record_file"] is None:
        return host
    from memfit.host.record import record

    recorded = record(host, Manifest(paths=paths), Path(given["record_file"]), redact=given["redact"])
    click.echo(f"memfit: recorded to {clean(given['record_file'])}", err=True)
    return recorded


def _log(name: str, given: dict[str, Any], outputs: Outputs) -> int:
    other = next((option for option, value in given.items() if value), None)
    if other is not None:
        option = other.replace("_file", "")
        raise UsageError(f"--tegrastats reads a log: --{option} asks a machine", hint="give one of them")
    from memfit.device.tegrastats_log import parse_log

    try:
        with Path(name).open(encoding="utf-8", errors="replace") as file:
            # a file without line ends is no log, and is not read in one piece
            log = parse_log(iter(lambda: file.readline(_LONGEST_LINE), ""), name=Path(name).name)
    except OSError as error:
        raise UsageError(f"--tegrastats {name}: {error.strerror or error}", hint="name a log file") from error
    show(log, outputs)
    return 0


def _watch(given: dict[str, Any], view: str | None, outputs: Outputs) -> int:
    for option in ("host", "root", "recorded", "record_file"):
        if given[option] is not None:
            raise UsageError(
                f"--watch follows this machine, not --{option.replace('_file', '')}",
                hint="run it there: ssh -t HOST memfit audit --watch",
            )
    if view is not None or outputs.files:
        raise UsageError("--watch has one view, for the terminal", hint="leave out other views and files")
    from memfit.cli._watch import watch

    return watch(as_json=outputs.json)
