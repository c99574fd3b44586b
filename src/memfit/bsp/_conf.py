"""What a board's ``.conf`` names for a module, followed as ``flash.sh`` follows it.

``flash.sh`` sources the file and calls its ``update_flash_args``. Of the shell only so much is followed as such files
use: plain assignments, sourced files, and conditions on the module's SKU. A line that names one of the files in another
way is refused: a file that was guessed would be patched in vain.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from memfit.bsp._blocks import Body, guarded
from memfit.bsp._shell import Piece, Tri, either, every, negation, pieces, tested, value
from memfit.errors import ProbeError

NAMES = ("MISC_CONFIG", "MB2_BCT", "DTB_FILE")
_HOOK = "update_flash_args"
_WRITES = re.compile(rf"(?<![\w])({'|'.join(NAMES)})(?:\[[^]]*\])?:?\+?=")
_ASSIGNS = re.compile(r"(\w+)(\+?=)(.*)", re.S)
_FILE = re.compile(r"[\w.+-][\w.+/-]*")
_DECLARES = ("export", "local", "declare", "readonly", "typeset")
_GIVEN = ("board_sku", "LDK_DIR")  # by flash.sh, whatever the file says
_MOST_BYTES, _DEEPEST = 1 << 20, 16
_HINT = 'give the file by a plain assignment, NAME="file", or source it as "${LDK_DIR}/file"'


class Assigned(NamedTuple):
    """A file's name and where it is set."""

    value: str
    place: str


class Conf(NamedTuple):
    """What a configuration ends up with: ``assigned`` by name; ``notes`` say what of it has no effect."""

    assigned: dict[str, str]
    notes: tuple[str, ...]


def read_conf(root: Path, name: str, sku: str) -> Conf:
    """Follow a configuration of a tree for a module's SKU, ``0003``.

    Raises:
        ProbeError: a line names a file in a way that is not followed; says the file and the line.
    """
    run = _Run(root, sku)
    run.source(name, name, True)
    plain = dict(run.assigned)
    if _HOOK in run.functions:
        run.call(_HOOK, True)
    for variable, maybe in run.maybe.items():
        for one in maybe:
            if variable not in run.assigned or one.value != run.assigned[variable].value:
                raise ProbeError(
                    f"{one.place}: {variable} is set to {one.value} under a condition that memfit cannot decide",
                    hint=_HINT,
                )
    notes = []
    for variable, one in plain.items():
        final = run.assigned[variable]
        elsewhere = one.place.rpartition(",")[0] != final.place.rpartition(",")[0]  # NVIDIA's own do so for a default
        if one.value != final.value and elsewhere:
            notes.append(
                f"{one.place} sets {variable} to {one.value}, but {_HOOK} sets it to {final.value} for this module "
                f"({final.place}): memfit takes {final.value}"
            )
    for function in run.functions.keys() - run.called:
        notes += run.unused(function, name)
    return Conf({variable: one.value for variable, one in run.assigned.items()}, tuple(dict.fromkeys(notes)))


class _Run:
    """State of the shell."""

    def __init__(self, root: Path, sku: str) -> None:
        self.root = root
        self.known: dict[str, str | None] = {"board_sku": sku, "LDK_DIR": str(root)}
        self.assigned: dict[str, Assigned] = {}
        self.maybe: dict[str, list[Assigned]] = {}
        self.functions: dict[str, tuple[str, tuple[Piece, ...]]] = {}
        self.called: set[str] = set()
        self._depth = 0

    def source(self, name: str, place: str, sure: Tri) -> None:
        """Run a file of the tree."""
        try:
            path = (self.root / name).resolve()
            if not path.is_relative_to(self.root):
                raise ProbeError(f"{place}: {name} is outside of {self.root}", hint="copy it into the tree")
            if not path.is_file():
                raise ProbeError(f"{place}: there is no {name} to source", hint=_HINT)
            with path.open("rb") as file:
                text = file.read(_MOST_BYTES + 1).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            raise ProbeError(f"{place}: {name}: {error}", hint=_HINT) from error
        if len(text) > _MOST_BYTES:
            raise ProbeError(f"{place}: {name} has more than {_MOST_BYTES:,} bytes", hint="take it from the BSP again")
        self._entered(place)
        self.run(str(path.relative_to(self.root)), pieces(text), sure)
        self._depth -= 1

    def call(self, function: str, sure: Tri) -> None:
        """Run a function's body."""
        file, body = self.functions[function]
        self.called.add(function)
        self._entered(file)
        self.run(file, body, sure)
        self._depth -= 1

    def unused(self, function: str, name: str) -> list[str]:
        """What a function would set that nobody calls here."""
        file, body = self.functions[function]
        found = []
        for piece in body:
            match = _ASSIGNS.fullmatch(piece.text)
            if match is None or match[1] not in NAMES:
                continue
            one = value(match[3], self.known)
            if one is None:
                raise self._unread(f"{file}, line {piece.line}", match[1])
            taken = self.assigned.get(match[1])
            if taken is None or one != taken.value:
                what = "the usual file" if taken is None else taken.value
                found.append(f"{name} sets {match[1]} to {one} under a condition, in {function}: memfit takes {what}")
        return found

    def run(self, file: str, body: tuple[Piece, ...], sure: Tri) -> None:
        """Commands, one after the other."""
        Body(self, file, body, sure).run()

    def command(self, file: str, words: list[Piece], joined: str, before: Tri, sure: Tri) -> Tri:
        """One command: what it sets, and whether it succeeds."""
        if not words:
            return before
        runs = guarded(joined, before)
        certain = every([sure, runs])
        status: Tri = False if certain is False and sure is not False else None
        if certain is not False:
            status = self._does(file, words, certain)
        if joined == "&&":
            return every([before, status])
        return either(before, status) if joined == "||" else status

    def _does(self, file: str, words: list[Piece], sure: Tri) -> Tri:
        place = f"{file}, line {words[0].line}"
        texts = [word.text for word in words]
        negated = texts[0] == "!"
        texts = texts[1:] if negated else texts
        if not texts:
            return None
        if texts[0] in ("[", "[[", "test"):
            told = tested([text for text in texts[1:] if text not in ("]", "]]")], self.known, self.root)
            return negation(told) if negated else told
        if texts[0] in ("source", "."):
            target = value(texts[1], self.known) if len(texts) > 1 else None
            if target is None:
                raise ProbeError(f"{place}: memfit cannot tell what is sourced here: {' '.join(texts)}", hint=_HINT)
            self.source(target.removeprefix(f"{self.root}/"), place, sure)
            return True
        declares = texts[0] in _DECLARES
        rest = [text for text in texts[1:] if not text.startswith("-")] if declares else texts
        if rest and all(_ASSIGNS.fullmatch(text) or declares for text in rest):
            for text in rest:
                self._assign(text, place, sure)
            return True
        named = _WRITES.search(" ".join(texts)) if texts[0] not in ("echo", "printf") or "-v" in texts else None
        if named is None and (texts[0] in ("eval", "read", "unset") or "-v" in texts[:2]):
            named = re.search(rf"(?<!\w)({'|'.join(NAMES)})(?!\w)", " ".join(texts))
        if named is not None:
            raise self._unread(place, named[1])
        if texts[0] in self.functions:
            self.call(texts[0], sure)
        return {"true": True, ":": True, "false": False}.get(texts[0])

    def _assign(self, text: str, place: str, sure: Tri) -> None:
        match = _ASSIGNS.fullmatch(text)
        if match is None or match[1] in _GIVEN:
            if match is None and _WRITES.match(text):
                raise self._unread(place, text)
            return
        name, found = match[1], value(match[3], self.known)
        if name in NAMES:
            if found is None or match[2] == "+=" or not _FILE.fullmatch(found):
                raise self._unread(place, name)
            one = Assigned(found, place)
            if sure:
                self.assigned[name] = one
                self.maybe.pop(name, None)
            else:
                self.maybe.setdefault(name, []).append(one)
        self.known[name] = found if sure and match[2] == "=" else None

    def _entered(self, place: str) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ProbeError(f"{place}: files or functions that lead to each other without end", hint=_HINT)

    def _unread(self, place: str, name: str) -> ProbeError:
        return ProbeError(f"{place}: memfit cannot tell what {name} is set to here", hint=_HINT)
