"""Blocks of the shell: which of a body's commands run, as far as their conditions can be decided here."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Protocol

from memfit.bsp._shell import Piece, Tri, either, every, negation, value

_CLOSE = ("fi", "esac", "}", "done")


class Runner(Protocol):
    """Who runs commands and keeps what they set."""

    known: dict[str, str | None]
    functions: dict[str, tuple[str, tuple[Piece, ...]]]

    def command(self, file: str, words: list[Piece], joined: str, before: Tri, sure: Tri) -> Tri:
        """One command behind a ``joined`` mark; whether it succeeds."""
        ...


def guarded(joined: str, before: Tri) -> Tri:
    """Whether a command runs behind ``&&`` and the like; what a pipe sets is gone behind it."""
    runs: dict[str, Tri] = {"&&": before, "||": negation(before), "|": None}
    return runs.get(joined, True)


class _Frame:
    """An ``if``, a ``case`` or a loop: whether its branch is taken, and whether an earlier one was."""

    def __init__(self, kind: str, taken: Tri, guard: Tri, subject: str | None = None) -> None:
        self.kind, self.taken, self.guard, self.subject = kind, taken, guard, subject
        self.before: Tri = False
        self.pattern = kind == "case"

    @property
    def all(self) -> Tri:
        """With what stands before the block, as in ``… && { … }``."""
        return every([self.guard, self.taken])


class Body:
    """A file's or a function's commands, gone through once."""

    def __init__(self, runner: Runner, file: str, body: tuple[Piece, ...], sure: Tri) -> None:
        self._runner, self._file, self._body, self._sure = runner, file, body, sure
        self._frames: list[_Frame] = []
        self._words: list[Piece] = []
        self._status: Tri = True
        self._joined, self._closed, self._at = ";", False, 0
        self._left = False

    def run(self) -> None:
        """All of them, up to a ``return`` that is certain."""
        while self._at < len(self._body) and not self._left:
            piece = self._body[self._at]
            self._at += 1
            if self._frames and self._frames[-1].pattern and (piece.text != "esac" or self._words):
                self._pattern(piece)
            elif piece.mark and piece.text in ("(", ")"):
                self._parenthesis(piece)
            elif piece.mark:
                self._ended(piece)
            else:
                self._word(piece)
        if not self._left:
            self._ended(Piece("\n", 0, True))

    def _is_sure(self) -> Tri:
        return every([self._sure, *(frame.all for frame in self._frames)])

    def _next_is(self, text: str) -> bool:
        return self._at < len(self._body) and self._body[self._at].text == text

    def _command(self) -> None:
        self._status = self._runner.command(self._file, self._words, self._joined, self._status, self._is_sure())
        self._words = []

    def _pattern(self, piece: Piece) -> None:
        if piece.text == ")":
            self._matched(self._frames[-1], self._words)
            self._words = []
        elif not piece.mark:
            self._words.append(piece)

    def _parenthesis(self, piece: Piece) -> None:
        if piece.text == "(":
            if len(self._words) == 1 and self._next_is(")"):
                self._at += 1
                self._defined(self._words[0].text)
                self._words = []
            else:
                self._frames.append(_Frame("(", None, True))  # what a subshell sets is gone behind it
        elif self._frames:
            self._command()
            self._frames.pop()

    def _word(self, piece: Piece) -> None:
        if not self._words:
            if piece.text == "function" and self._at < len(self._body):
                name = self._body[self._at].text
                self._at += 1
                self._at += 2 if self._next_is("(") else 0
                self._defined(name)
                return
            if self._reserved(piece.text):
                self._closed = piece.text in _CLOSE
                self._joined, self._status = ";", None if self._closed else True
                return
        self._words.append(piece)
        if len(self._words) == 3 and self._words[0].text == "case":
            subject = value(self._words[1].text, self._runner.known)
            self._frames.append(_Frame("case", None, guarded(self._joined, self._status), subject))
            self._words = []

    def _ended(self, piece: Piece) -> None:
        if self._words and self._words[0].text == "for":
            self._words = []
        if self._words:
            if self._words[0].text in ("return", "exit") and self._is_sure() and self._joined == ";":
                self._left = True
                return
            self._command()
            self._closed = True
        if self._closed:
            self._joined = piece.text if piece.text in ("&&", "||", "|") else ";"
            self._closed = False
        if piece.text.startswith(";;") and self._frames and self._frames[-1].kind == "case":
            self._frames[-1].pattern = True

    def _reserved(self, word: str) -> bool:
        """Words that open, part or close a block."""
        if word in ("if", "while", "until", "select", "{", "do"):
            kind = "loop" if word in ("while", "until", "select") else word
            self._frames.append(_Frame(kind, None if word == "do" else True, guarded(self._joined, self._status)))
            return True
        if not self._frames or word not in ("then", "elif", "else", *_CLOSE):
            return False
        top = self._frames[-1]
        if word == "then":
            top.taken = every([negation(top.before), self._status])
            top.before = either(top.before, self._status)
        elif word in ("elif", "else"):
            top.taken = negation(top.before)
        else:
            self._frames.pop()
            if word == "done" and self._frames and self._frames[-1].kind == "loop":
                self._frames.pop()
        return True

    def _matched(self, frame: _Frame, words: list[Piece]) -> None:
        patterns = [value(word.text, self._runner.known) for word in words]
        told: Tri = False
        for pattern in patterns:
            if pattern == "*":
                told = True
            elif frame.subject is None or pattern is None:
                told = either(told, None)
            else:
                told = either(told, fnmatchcase(frame.subject, pattern))
        frame.taken, frame.before = every([negation(frame.before), told]), either(frame.before, told)
        frame.pattern = False

    def _defined(self, name: str) -> None:
        """A function's body is kept and passed over."""
        while self._next_is("\n"):
            self._at += 1
        depth, begin = 0, self._at
        while self._at < len(self._body):
            depth += {"{": 1, "}": -1}.get(self._body[self._at].text, 0)
            self._at += 1
            if depth <= 0:
                break
        self._runner.functions[name] = (self._file, self._body[begin + 1 : self._at - 1])
