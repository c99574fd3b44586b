"""Passwords, keys and tokens in command lines, variables and addresses: replaced by a word that says so."""

from __future__ import annotations

import re

WORD = "redacted"

# `--name value`, `--name=value`, `NAME=value`, `"name": "value"`, `Name: value`: names that hold one of these …
_STEM = re.compile(r"token|key|pass|pwd|auth|bearer|cookie|jwt|secret|credential|session")
_LONGEST_NAME = 160
_NAME = re.compile(rf"[\w.-]{{0,{_LONGEST_NAME}}}")
# … anywhere, or these as a word of their own: a tokenizer, a keyframe and --max-num-batched-tokens are no secrets
_ANYWHERE = re.compile(r"passw|passphrase|secret|credential|api_?key|access_?key|private_?key|authtoken", re.I)
_WHOLE = frozenset(("token", "key", "pass", "pwd", "auth", "authorization", "bearer", "cookie", "jwt", "session"))
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_BETWEEN = re.compile(r"[\"']?[ \t]*(?:=[ \t]*|:[ \t]*\0?)")
_BEFORE_ITS_WORD = re.compile(r"(?:\0|[ \t]+)(?![-=:\0])")  # after an option
_VALUE = re.compile(r"\"[^\"\n\0]*\"?|'[^'\n\0]*'?|[^\s\0]+")
_TO_THE_END = re.compile(r"[^\n\0]+")
# Words of a process's command line end with a NUL; one that is a script has spaces of its own
_IN_WORDS = re.compile(r"[^\0]+")

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S)
_BEARER = re.compile(r"(?<![A-Za-z0-9])(?:bearer|basic)[ \t]+[\w.~+/=-]{6,}", re.I)
# Hugging Face, GitHub, GitLab, OpenAI and Anthropic, NVIDIA, AWS, Google, Slack, npm, Docker, PyPI, JSON Web Tokens
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|sk-[\w-]{16,}"
    r"|nvapi-[\w-]{16,}|A[KS]IA[A-Z0-9]{16}|AIza[\w-]{30,}|xox[a-z]-[\w-]{10,}|npm_\w{16,}|dckr_pat_[\w-]{16,}"
    r"|pypi-[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*)"
)
_TOKEN_MARKS = (
    *("hf_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "nvapi-", "AKIA", "ASIA", "AIza"),
    *("xox", "npm_", "dckr_pat_", "pypi-", "eyJ"),
)
# All before the last @ of an address: a password may hold any letter
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s\0\"'<>]*@")
# Nothing has a name like this: 32 letters and digits of both cases without a mark between them
_RANDOM = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]{32})(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z])(?=[A-Za-z]*\d)[A-Za-z0-9]+"
)


def without_secrets(text: str, *, command_line: bool) -> str:
    """The text with what only its owner should know replaced by ``redacted``.

    Args:
        text: of a file.
        command_line: a process's, whose words end with a NUL.
    """
    if "PRIVATE KEY-----" in text:
        text = _KEY_BLOCK.sub(WORD, text)
    if any(mark in text for mark in _TOKEN_MARKS):
        text = _TOKEN.sub(WORD, text)
    text = _BEARER.sub(WORD, text)
    text = _IN_ADDRESS.sub(f"{WORD}@", text) if "://" in text else text
    text = "".join(_named(text, command_line=command_line))
    return _RANDOM.sub(WORD, text) if command_line else text


def _named(text: str, *, command_line: bool) -> list[str]:
    """The text in pieces, without the values of names that tell they are secret."""
    pieces, done, at = [], 0, 0
    lowered = text.lower()  # much faster than to search without regard to case
    while (stem := _STEM.search(lowered, at)) is not None:
        start = _start_of_name(text, stem.start(), done)
        found = _NAME.match(text, start)
        at = max(stem.end(), found.end() if found else 0)
        name = text[start:at]
        words = {word.lower() for word in _WORDS.findall(name)}
        if not (words & _WHOLE or _ANYWHERE.search(name)):
            continue
        between = _BETWEEN.match(text, at)
        if between is None and name.startswith("-"):
            between = _BEFORE_ITS_WORD.match(text, at)
        if between is None:
            continue
        many = words & {"authorization", "cookie"}
        value = (_IN_WORDS if command_line else _TO_THE_END if many else _VALUE).match(text, between.end())
        if value is not None:
            pieces += [text[done : value.start()], WORD]
            done = at = value.end()
    pieces.append(text[done:])
    return pieces


def _start_of_name(text: str, at: int, least: int) -> int:
    least = max(least, at - _LONGEST_NAME // 2)
    while at > least and (text[at - 1].isalnum() or text[at - 1] in "_.-"):
        at -= 1
    return at
