"""``memfit audit --watch``: the same screen again once a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from memfit.cli._pipe import let_go_of_stdout
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
    except BrokenPipeError:  # another way: `head -1` has what it wanted
        let_go_of_stdout()
        return 0
    return 0


class Beat:
    """Comes back once in ``EVERY_S`` however long the work between takes; what took too long is not made up for."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._next = clock()

    def wait(self) -> None:
        """Until the next beat; not at all where it has passed."""
        self._next = max(self._next + EVERY_S, self._clock())
        self._sleep(self._next - self._clock())


def _print_lines(watcher: Watcher, *, as_json: bool) -> None:
    import msgspec

    beat = Beat()
    while True:
        now = watcher.look()
        click.echo(msgspec.json.encode(now.audit).decode() if as_json else _line(now))
        beat.wait()


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
    beat = Beat()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            shown = str(render(watcher.look(), width=console.width, stream=sys.stdout))
            # what is below the last line would make the screen scroll
            lines = shown.splitlines()[: console.height - 1]
            live.update(Text.from_ansi("\n".join(lines)), refresh=True)
            beat.wait()
