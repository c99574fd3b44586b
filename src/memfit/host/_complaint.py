"""What ssh, sudo and a remote shell complain of, and what to do about it."""

from __future__ import annotations

import re

from memfit.errors import ProbeError, UnsupportedDevice
from memfit.host._target import Target

_LOG_IN = "log in once by hand and compare the fingerprint it shows: ssh {target}"
# Of OpenSSH (ssh.c, sshconnect.c, sshconnect2.c, clientloop.c, packet.c) and sudo (sudo.c, check.c): the first that is
# found says it; words of a remote shell stand last. They come in no other language: OpenSSH has one, and sudo is asked
# for it.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key has changed",
        "after a reflash that is so: {forget}, then log in once by hand; else someone stands between",
    ),
    (
        r"Host key verification failed|host key is known for",
        "its host key is not known here",
        "log in once by hand and compare the fingerprint it shows: ssh {target}",
    ),
    (
        r"Permission denied \(|Too many authentication failures|No more authentication methods",
        "it lets nobody in without a password or another key",
        "memfit asks for no password; give it a key: ssh-copy-id {target}",
    ),
    (r"Connection refused", "nothing answers there", "is sshd running, and the port right? see: ssh -v {target}"),
    (
        r"Could not resolve hostname|Name or service not known",
        "no such host",
        "is the name right? an alias stands in ~/.ssh/config",
    ),
    (
        r"Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down",
        "it cannot be reached",
        "is it switched on and on this network? see: ping {host}",
    ),
    (
        r"Unable to negotiate|no matching \w",
        "it and this ssh have no algorithm in common",
        "its system is old; allow its algorithm in ~/.ssh/config; see: ssh -v {target}",
    ),
    (r"Bad configuration option|bad configuration options|Bad owner or permissions", "{line}", "mend ~/.ssh/config"),
    (
        r"sudo: .*(?:password is required|terminal is required|tty present)",
        "sudo asks for a password there",
        "leave out --sudo (what only root may read is then named), or there: sudo memfit audit --record FILE",
    ),
    (
        r"is not in the sudoers file|may not run sudo|is not allowed to execute",
        "this user may not use sudo there",
        "leave out --sudo; what only root may read is then named",
    ),
    (
        r"sudo.*not found|sudo.*No such file|Unknown command:? '?sudo",
        "it has no sudo",
        "leave out --sudo, or log in as root",
    ),
    (
        r"python3.*not found|not found.*python3|python3.*No such file|Unknown command.*python3",
        "it has no python3",
        "there: apt install python3-minimal; memfit itself is not needed there",
    ),
)
_CUT = re.compile(
    r"closed by|Connection reset|Broken pipe|not responding|Connection to .* closed|Write failed|lost connection"
)
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_RULE = re.compile(
    r"^[@*#=\-\s]*$|^(?:Warning: )?Permanently added|post-quantum|store now, decrypt later|upgraded\. See"
)


def named(target: Target | None) -> str:
    """How messages call it."""
    return "this machine" if target is None else str(target)


def by_hand(target: Target | None, words: str, options: str = "") -> str | None:
    """A hint to try the same without memfit."""
    return None if target is None else f"try by hand: ssh {options}{target.typed()} {words}"


def old_python(target: Target | None, version: str, oldest: tuple[int, int]) -> UnsupportedDevice:
    """The failure of a machine whose Python cannot run the collector."""
    return UnsupportedDevice(
        f"{named(target)}: its python3 is {version}; memfit needs {oldest[0]}.{oldest[1]} or newer there",
        hint="JetPack 5 and newer have it; of an older one read the unpacked image: --root FOLDER",
    )


def too_slow(target: Target | None, over: str, last: str, complaint: str) -> ProbeError:
    """The failure of a machine that kept us waiting."""
    after = f", the last of it {last}" if last else ""
    line = _last_line(complaint)
    return ProbeError(f"{named(target)}: {over}{after}{f' ({line})' if line else ''}", hint=by_hand(target, "true"))


def before_start(target: Target | None, code: int | None, complaint: str, noise: bytes) -> ProbeError:
    """The failure of a connection on which the collector never began."""
    text = _TERMINAL.sub("", complaint)
    host, port = ("localhost", None) if target is None else (target.host, target.port)
    # an alias is known by the address behind it: Debian's ssh says itself what to type
    advised = re.search(r"ssh-keygen -f .* -R .*", text)
    forget = advised[0].strip() if advised else f"ssh-keygen -R '[{host}]:{port}'" if port else f"ssh-keygen -R {host}"
    line = _last_line(complaint) or _last_line(noise.decode(errors="replace"))
    for pattern, what, hint in _KNOWN:
        found = re.search(rf".*(?:{pattern}).*", text)
        if found:
            typed = "" if target is None else target.typed()
            names = {"target": typed, "host": host, "forget": forget, "line": found[0].strip()}
            return ProbeError(f"{named(target)}: {what.format(**names)}", hint=hint.format(**names))
    if _CUT.search(text) and code == 255:
        return ProbeError(f"{named(target)}: the connection was closed ({line})", hint=by_hand(target, "true", "-v "))
    if code == 127:
        return ProbeError(f"{named(target)}: it has no python3", hint="there: apt install python3-minimal")
    detail = f": {line}" if line else f" (ssh ended with code {code})"
    return ProbeError(f"{named(target)}: python3 did not start there{detail}", hint=by_hand(target, "python3 -V"))


def half_way(target: Target | None, code: int | None, complaint: str, last: str) -> ProbeError:
    """The failure of a connection that ended in the middle of the answer."""
    line = _last_line(complaint)
    why = f" ({line})" if line else ""
    if code in (255, None) or _CUT.search(complaint) or (code is not None and code < 0):
        return ProbeError(
            f"{named(target)}: the connection was cut half-way, after {last or 'its start'}{why}", hint="try again"
        )
    return ProbeError(
        f"{named(target)}: the collector ended with code {code} after {last or 'its start'}{why}",
        hint="memory may have run out there: the kernel's log tells",
    )


def _last_line(text: str) -> str:
    lines = [_TERMINAL.sub("", line).strip() for line in text.splitlines()]
    telling = [line for line in lines if not _RULE.search(line)]
    return telling[-1][:300] if telling else ""
