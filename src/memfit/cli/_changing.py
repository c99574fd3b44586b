"""What the verbs that change a machine share: which machine, which knobs, and the question before anything is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
import msgspec

from memfit.apply import Place
from memfit.device.audit_records import Audit
from memfit.errors import UsageError
from memfit.host import Host
from memfit.knob import NEEDS, Change, Need, Offer, Wish

F = TypeVar("F", bound=Callable[..., Any])


def place_options(function: F) -> F:
    """Add ``--host``, ``--sudo`` and ``--root``."""
    for option in (
        click.option(
            "--root", metavar="FOLDER", help="An unpacked image, or the disk of a machine that does not boot."
        ),
        click.option("--sudo", is_flag=True, help="With --host: as root, where sudo needs no password."),
        click.option("--host", metavar="TARGET", help="A machine for ssh: an alias, user@host, ssh://user@host:port."),
    ):
        function = option(function)
    return function


def take_place(given: dict[str, Any]) -> Place:
    """Remove the options of ``place_options`` from ``given``.

    Raises:
        UsageError: they contradict each other.
    """
    host, root, sudo = given.pop("host"), given.pop("root"), given.pop("sudo")
    if sudo and host is None:
        raise UsageError("--sudo is for --host", hint="here: sudo memfit")
    if root is not None and host is None and os.path.realpath(root) == "/":
        root = None  # this machine, and no image of one: what runs counts
    return Place(host=host, root=root, sudo=sudo)


def needs_of(texts: Sequence[str]) -> tuple[Need, ...]:
    """``display,camera`` as needs, and all of them where the option was given several times.

    Raises:
        UnknownName: one is none of them.
    """
    from memfit.errors import UnknownName

    found: list[Need] = []
    for word in (word.strip() for text in texts for word in text.split(",") if word.strip()):
        need = next((known for known in NEEDS if known == word.lower()), None)
        if need is None:
            raise UnknownName("need", word, NEEDS)
        found.append(need)
    return tuple(found)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A machine with what its knobs offer."""

    host: Host
    audit: Audit
    offers: tuple[Offer, ...]

    def changes(self, chosen: Sequence[Offer]) -> tuple[Change, ...]:
        """What the chosen knobs change together."""
        from memfit.knob.combine import changes_of

        return changes_of(self.host, self.audit, chosen)


def find_offers(
    place: Place,
    needs: Sequence[Need],
    names: Sequence[str] | None,
    *,
    wishes: Mapping[str, Wish] | None = None,
    recorded: str | None = None,
) -> Found:
    """Read the machine, or a recording of one, and ask the knobs.

    Raises:
        UnknownName: a knob that is not known; UsageError: a value that it does not take.
        ProbeError: the machine cannot be read.
    """
    from memfit.device.audit import audit, audit_paths
    from memfit.host import open_host
    from memfit.knob import offers
    from memfit.knob.offers import offer_paths

    paths = (*audit_paths(), *offer_paths())
    host = open_host(place.host, root=place.root, recorded=recorded, sudo=place.sudo, paths=paths)
    found = audit(host)
    return Found(host=host, audit=found, offers=offers(host, found, needs=needs, names=names, wishes=wishes))


def audit_with_knobs(host: Host, needs: Sequence[Need]) -> Audit:
    """An audit with what the knobs would give, and advice on what no knob touches.

    Raises:
        ProbeError: the machine cannot be read.
    """
    from memfit.device.audit import audit
    from memfit.knob import advice, offers
    from memfit.knob.offers import as_row

    found = audit(host)
    rows = tuple(map(as_row, offers(host, found, needs=needs)))
    return msgspec.structs.replace(found, knobs=rows, advice=advice(found))


def wishes_of(place: Place, knobs: Sequence[str], weights: str | None) -> dict[str, Wish]:
    """Knobs as they were typed, ``NAME`` or ``NAME=VALUE``, with what is asked of each by its name.

    ``weights`` is a model on the machine itself, which is packed there now as compressed swap would hold it.

    Raises:
        UsageError: a value is empty, one knob is asked for twice with two values, or no knob is asked about weights.
        ApplyError, ProbeError: the weights cannot be read.
    """
    from memfit.apply import packed
    from memfit.knob.knobs import KNOBS

    found: dict[str, Wish] = {}
    for word in knobs:
        name, said, value = word.partition("=")
        key = KNOBS.key(name.strip())
        if said and not value.strip():
            raise UsageError(f"{word}: no value", hint=f"--knob {key}, or it takes {KNOBS.get(key).takes or 'none'}")
        if key in found and found[key].value != value.strip():
            raise UsageError(f"{key} is asked for twice, with two values", hint="give one of them")
        found[key] = Wish(value=value.strip())
    if weights is not None:
        if "zram" not in found:
            raise UsageError("--weights says how well a model packs", hint="--knob zram=2GiB --weights MODEL")
        found["zram"] = msgspec.structs.replace(found["zram"], weights=packed(place, weights))
    return found


def show_before(record: msgspec.Struct) -> None:
    """What somebody is asked about, beside the question: standard output is the answer's alone."""
    from memfit.render import render

    click.echo(str(render(record, stream=sys.stderr)).rstrip("\n"), err=True, color=True)


def agree(question: str, *, yes: bool) -> None:
    """Go on only where somebody says so.

    Raises:
        UsageError: nobody is there to ask.
        click.Abort: no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask", hint="--yes does it without a question, --dry-run only shows it")
    click.confirm(question, abort=True, err=True)
