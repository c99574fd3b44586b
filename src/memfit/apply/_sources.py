"""The agent as one text for ``python3 -``: its modules, loaded from memory, and the request that it answers."""

from __future__ import annotations

import json
from typing import Any

from memfit.agent import bundle
from memfit.host._program import OLDEST_PYTHON

# Every Python that may be called python3 can read this much; the agent itself is only compiled by a new one. What it
# is made of goes by its own names, and packages that are not sent are empty.
_PROGRAM = """\
import sys
if sys.version_info[:2] < {oldest}:
    sys.stdout.write("\\n{marker} %d.%d.%d\\n" % sys.version_info[:3])
    sys.exit(0)
import importlib.abc, importlib.machinery, json
sources = {sources}
class Sent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        package = any(known.startswith(name + ".") for known in sources)
        if name not in sources and not package:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=package)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        exec(compile(sources.get(module.__name__, ""), module.__name__, "exec"), module.__dict__)
sys.meta_path.insert(0, Sent())
from memfit.agent.main import answer
text = json.dumps(answer(json.loads({request})))
sys.stdout.write("\\n{marker} " + text + "\\n")
sys.stdout.flush()
"""


def sources() -> dict[str, str]:
    """Text of every module that the agent is made of, by its full name: those of the file that is left on devices."""
    modules = {name.removesuffix(".py").replace("/", "."): text for name, text in bundle.parts().items()}
    return {name: text for name, text in modules.items() if not name.endswith(("__init__", "__main__"))}


def program(request: dict[str, Any], marker: str) -> bytes:
    """What to give to ``python3 -``; its answer is one line behind ``marker``, or the version of a Python too old."""
    text = _PROGRAM.format(
        oldest=OLDEST_PYTHON, marker=marker, sources=ascii(sources()), request=ascii(json.dumps(request))
    )
    return text.encode("ascii")
