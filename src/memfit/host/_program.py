"""The collector as one text for ``python3 -``: what to send, and how its answer begins."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from memfit.host.records import Manifest

OLDEST_PYTHON = (3, 8)
# -I: none of the user's variables or folders; -S: no site packages; -B: nothing is written beside the library
PYTHON_OPTIONS = ("-I", "-S", "-B", "-")

_SOURCES = tuple(Path(__file__).with_name(name) for name in ("_rules.py", "_collector.py"))
# Every Python that may be called python3 can read this much; the collector itself is only compiled by a new one
_WRAPPER = """\
import sys
if sys.version_info[:2] < {oldest}:
    sys.stdout.write("\\n{marker} %d.%d.%d\\n" % sys.version_info[:3])
    sys.exit(0)
names = {{"__name__": "collector"}}
for source in {sources}:
    exec(compile(source, "collector", "exec"), names)
names["main"]({manifest})
"""


def program(manifest: Manifest) -> tuple[bytes, str]:
    """What to give to ``python3 -``, and the line that marks where its answer begins.

    The mark is new each time, so that nothing a shell prints before it is taken for it. Where Python is too old, the
    line goes on with a space and the version that was found.
    """
    marker = f"memfit-{secrets.token_hex(8)}"
    text = _WRAPPER.format(
        oldest=OLDEST_PYTHON,
        marker=marker,
        sources=ascii(tuple(source.read_text(encoding="utf-8") for source in _SOURCES)),
        manifest=ascii({**msgspec.structs.asdict(manifest), "marker": marker}),
    )
    return text.encode("ascii"), marker
