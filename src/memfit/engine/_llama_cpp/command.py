"""A llama.cpp command line, as people paste it, turned into a deployment.

Names and defaults follow common/arg.cpp and tools/server (0c1e57098). Options that take no memory are skipped; one
that memfit does not know or does not count is named in a warning, never dropped in silence.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

import msgspec

from memfit.engine._llama_cpp.command_options import Found, options_of
from memfit.engine._llama_cpp.effects import HARMLESS, KEYS, RENAMED, SWITCH_KEYS, UNCOUNTED
from memfit.engine._llama_cpp.environment import words_of
from memfit.engine._llama_cpp.flags import PAIRED, SWITCHES, VALUED
from memfit.engine.records import Command, Deployment, Options, Profile
from memfit.errors import UsageError

_SERVERS = ("llama-server", "llama.cpp-server", "server")
_TOOLS = ("llama-cli", "llama-run", "llama-bench", "llama-perplexity", "llama-completion", "main", "llama-mtmd-cli")
# what people write before a program
_LAUNCHERS = (
    "sudo", "env", "nohup", "nice", "time", "exec", "taskset", "numactl", "stdbuf", "setsid", "chrt", "ionice",
)  # fmt: skip
_HARMLESS_VARIABLES = ("GGML_NO_BACKTRACE",)
# is_truthy, is_falsey and is_autoy, common/arg.cpp
_FLASH_WORDS = ("on", "enabled", "true", "1", "off", "disabled", "false", "0", "auto", "-1")


def is_command(words: Sequence[str]) -> bool:
    """Whether this is a llama.cpp program with its arguments, behind ``sudo``, ``env`` and the like or not."""
    return bool(_without_launcher(words)[0])


def server_of(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """A server's words from its program on, and the variables set before it; None for any other program."""
    command, variables = _without_launcher(words)
    return (command, variables) if _program(command) in _SERVERS else None


def parse_command(words: Sequence[str], profiles: dict[Profile, Options], profile: Profile | None = None) -> Command:
    """Read ``llama-server -m model.gguf -c 8192 …``.

    Args:
        words: the command line, cut into words or quoted whole.
        profiles: the defaults of library and server.
        profile: whose defaults to take instead of the program's own.

    Raises:
        UsageError: no program of llama.cpp, no model, a missing or unreadable value.
        UnknownName: a KV cache format that llama.cpp does not take.
    """
    command, variables = _without_launcher(words)
    program = _program(command)
    if program is None:
        raise UsageError(
            f"not a llama.cpp command: {' '.join(words[:3])!r}",
            hint="write: memfit estimate -- llama-server -m model.gguf -c 8192",
        )
    profile = profile or ("server" if program in _SERVERS else "library")
    found = Found()
    stated, warnings = words_of(variables)
    found.warnings.extend(warnings)
    found.warnings.extend(
        f"{name} may change memory and is not counted"
        for name in variables
        if name.startswith("GGML_") and name not in _HARMLESS_VARIABLES
    )
    _read(stated, found)
    _read(command[1:], found)  # what the command says wins over its variables
    if "model" not in found:
        hint = "memfit reads local files: give -m with the downloaded file" if "repository" in found else "give -m FILE"
        raise UsageError("the command names no model file", hint=hint)
    base = profiles[profile]
    if profile == "library":
        # the tools take the trained context and one output row a token asked for, not the bare library's defaults
        base = msgspec.structs.replace(base, context_tokens=0, full_window_cache=False)
    options, gpu_stated = options_of(base, found, profile)
    return Command(
        deployment=Deployment(
            model=found["model"],
            options=options,
            draft=found.get("draft"),
            projector=found.get("projector"),
            adapters=_adapters(found),
        ),
        profile=profile,
        gpu_stated=gpu_stated,
        warnings=tuple(dict.fromkeys(found.warnings)),
    )


def _read(words: Sequence[str], found: Found) -> None:
    """Cut the words into options and values, and note what cannot be counted."""
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        flag, equals, inline = word.partition("=")
        if flag.startswith("--"):
            flag = flag.replace("_", "-")
        key = KEYS.get(flag)
        takes_value = flag in VALUED or (key is not None and key not in SWITCH_KEYS)
        if equals and takes_value:
            found.warnings.append(f"{word}: llama.cpp refuses this form, write {flag} {inline}; it was read like that")
            rest.append(inline)
        value = _value(flag, rest, found) if takes_value else ""
        if key is not None:
            found.add(key, value)
        elif flag in PAIRED:
            del rest[-2:]
        elif not takes_value and flag not in SWITCHES:
            found.warnings.append(f"{word} is not an option of llama.cpp that memfit knows and was left out")
        if flag in RENAMED:
            found.warnings.append(f"{flag} is refused by this llama.cpp; read as {RENAMED[flag]}")
        if flag in UNCOUNTED and value.lower() not in HARMLESS.get(UNCOUNTED[flag], ()):
            found.warnings.append(f"{f'{flag} {value}'.strip()} changes memory and is not counted: {UNCOUNTED[flag]}")


def _value(flag: str, rest: list[str], found: Found) -> str:
    if KEYS.get(flag) == "flash_attention" and _has_no_flash_word(rest):
        found.warnings.append(f"{flag} without on, off or auto: llama.cpp refuses it; read as on")
        return "on"
    if not rest:
        raise UsageError(f"{flag} needs a value", hint="paste the whole command")
    return rest.pop()


def _has_no_flash_word(rest: Sequence[str]) -> bool:
    """Older releases had ``-fa`` as a switch; what follows it is then another option, or nothing."""
    if not rest or (rest[-1].startswith("-") and rest[-1] != "-1"):
        return True
    if rest[-1] not in _FLASH_WORDS:
        raise UsageError(f"-fa {rest[-1]}: flash attention is on, off or auto", hint="write -fa on")
    return False


def _adapters(found: Found) -> tuple[str, ...]:
    plain = [name for names in found.all("adapter") for name in names.split(",")]
    scaled = [item for items in found.all("adapter_scaled") for item in items.split(",")]
    for item in scaled:
        if item.count(":") != 1:
            raise UsageError(f"--lora-scaled {item}: not FILE:SCALE", hint="write --lora-scaled adapter.gguf:0.5")
    return (*plain, *(item.partition(":")[0] for item in scaled))


def _without_launcher(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command from its program on, and the variables set before it; nothing where it is no command."""
    if words and " -" in words[0]:  # quoted whole, and no path that happens to hold a space
        try:
            words = [*shlex.split(words[0]), *words[1:]]
        except ValueError:
            return (), {}
    variables: dict[str, str] = {}
    launched = False
    for index, word in enumerate(words):
        if _program(words[index:]) is not None and not (launched and _named_later(words[index:])):
            return tuple(words[index:]), variables
        name, equals, value = word.partition("=")
        if equals and name.isidentifier():
            variables[name] = value
        elif PurePath(word).name in _LAUNCHERS:
            launched = True
        elif not launched:
            break
    return (), {}


def _named_later(words: Sequence[str]) -> bool:
    """Whether a short name such as ``server`` is a launcher's own word (``sudo -u server llama-server``)."""
    return not PurePath(words[0]).name.startswith("llama") and any(
        PurePath(word).name.startswith("llama-") and _program([word]) for word in words[1:]
    )


def _program(words: Sequence[str]) -> str | None:
    if not words:
        return None
    name = PurePath(words[0]).name.removesuffix(".exe")
    return name if name in _SERVERS + _TOOLS else None
