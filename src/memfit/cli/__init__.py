"""The command line: one file a verb, and the only printing in memfit."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``memfit`` and exit with the code of the answer (see ``memfit.errors``)."""
    from memfit.cli._group import run

    sys.exit(run(sys.argv[1:]))
