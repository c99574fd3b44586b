"""How a machine is named for ssh."""

from __future__ import annotations

import re

import msgspec

from memfit.errors import UsageError

# What OpenSSH itself refuses from 9.6 on: names that a ProxyCommand's shell would act upon
_FORBIDDEN = re.compile(r"[\s'\"`$;&<>|(){}\x00-\x1f\x7f]")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that ssh reaches: an alias of the user's configuration, a host name or an address."""

    host: str
    user: str | None = None
    port: int | None = None

    def words(self) -> tuple[str, ...]:
        """What to give to ``ssh``, after its options and before the remote command."""
        port = () if self.port is None else ("-p", str(self.port))
        user = () if self.user is None else ("-l", self.user)
        return (*port, *user, "--", self.host)

    def typed(self) -> str:
        """As one would type it after ``ssh`` or ``ssh-copy-id``."""
        port = "" if self.port is None else f"-p {self.port} "
        return f"{port}{'' if self.user is None else f'{self.user}@'}{self.host}"

    def __str__(self) -> str:
        if self.port is None:
            return self.typed()
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ssh://{'' if self.user is None else f'{self.user}@'}{host}:{self.port}"


def parse_target(text: str) -> Target:
    """``host``, ``user@host`` or ``ssh://[user@]host[:port]``; an IPv6 address before a port stands in brackets.

    Raises:
        UsageError: it is none of these.
    """
    rest = text.removeprefix("ssh://")
    as_address = rest != text
    if as_address:
        rest = rest.rstrip("/")
    user, at, host = rest.rpartition("@")  # a user of a domain has an @ of its own
    port = ""
    if as_address:
        found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?", host)
        if found is None:
            raise _refused(text, "it is not ssh://user@host:port")
        host, port = found[1] or found[2], found[3] or ""
        if ":" in user:
            raise _refused(text, "it has a password, which ssh takes from nobody")
    if not host or (at and not user):
        raise _refused(text, "the user or the host is missing")
    for name in (host, user):
        if name.startswith("-") or name.endswith("\\") or _FORBIDDEN.search(name):
            raise _refused(text, f"{name!r} is no name")
    if "/" in host:
        raise _refused(text, "a host's name has no slash")
    if port and not 0 < int(port[:6]) < 65536:
        raise _refused(text, f"there is no port {port[:12]}")
    return Target(host=host, user=user or None, port=int(port) if port else None)


def _refused(text: str, why: str) -> UsageError:
    return UsageError(
        f"{text!r} names no machine: {why}", hint="as for ssh: an alias, user@host, or ssh://user@host:port"
    )
