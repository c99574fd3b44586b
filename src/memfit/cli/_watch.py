"""``memfit audit --watch``: the same screen again once a second."""

from __future__ import annotations

import sys
import time

import click

from memfit.device.audit_watch import EVERY_S, Watch, Watcher
from memfit.host import LocalHost
from memfit.render import render


def watch(*, as_json: bool) -> int:
    """Follow this machine until interrupted; on a terminal one screen, else a line a second.

    Raises:
        ProbeError: this machine cannot be read.
    """
    watcher = Watcher(LocalHost())
    try:
        if as_json or not sys.stdout.isatty():
            _print_lines(watcher, as_json=as_json)
        else:
            _draw(watcher)
    except KeyboardInterrupt:  # how a watch ends
        return 0
    return 0


def _print_lines(watcher: Watcher, *, as_json: bool) -> None:
    import msgspec

    while True:
        now = watcher.look()
        click.echo(msgspec.json.encode(now.audit).decode() if as_json else _line(now))
        sys.stdout.flush()
        time.sleep(EVERY_S)


def _line(now: Watch) -> str:
    from memfit.units import format_bytes

    figures = [
        f"{each.name} {format_bytes(round(each.values[-1] or 0))}" for each in now.series if each.unit == "bytes"
    ]
    return f"{now.audit.taken} available {format_bytes(now.audit.available_bytes or 0)}, {', '.join(figures)}"


def _draw(watcher: Watcher) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            began = time.monotonic()
            shown = str(render(watcher.look(), width=console.width, stream=sys.stdout))
            # what is below the last line would make the screen scroll
            lines = shown.splitlines()[: console.height - 1]
            live.update(Text.from_ansi("\n".join(lines)), refresh=True)
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))
