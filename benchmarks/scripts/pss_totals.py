"""PSS of every process and its total in kB, as ``smem -t -H -c "pid pss"`` prints them, read as an audit reads them.

python pss_totals.py
"""

from __future__ import annotations

from memfit.device.facts.processes import read
from memfit.host import LocalHost


def main() -> None:
    """Print."""
    shares = {facts.pid: facts.memory["Pss"] // 1024 for facts in read(LocalHost()) if facts.memory}
    print("\n".join(f"{pid:5} {size:8}" for pid, size in sorted(shares.items(), key=lambda item: item[1])))
    print(f"{len(shares):5} {sum(shares.values()):8}")


if __name__ == "__main__":
    main()
