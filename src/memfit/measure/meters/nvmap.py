"""NvMap: what CUDA, video and display hold beyond any process's PSS, and what CUDA could still take (root only)."""

from __future__ import annotations

from memfit.device import nvmap
from memfit.errors import NeedsRoot
from memfit.host import Host
from memfit.measure._tree import Tree
from memfit.measure.meters._meter import Meter, Reader, Series, Values, Watched, open_if_it_answers

HELD = Series("held", "bytes")
HELD_BY_RUN = Series("held_by_run", "bytes")
FREE = Series("free", "bytes")


def _values(host: Host, tree: Tree) -> Values:
    clients = nvmap.read_clients(host)
    free = nvmap.read_free_bytes(host)
    values: dict[Series, float] = {}
    if clients:
        own = set(tree.pids)
        values[HELD] = sum(client.bytes for client in clients)
        values[HELD_BY_RUN] = sum(client.bytes for client in clients if client.pid in own)
    if free is not None:
        values[FREE] = free
    return values


def _open(watched: Watched) -> Reader | None:
    try:
        return open_if_it_answers(watched.host, lambda host: _values(host, watched.tree))
    except NeedsRoot:
        return None


METER = Meter(
    summary="memory of CUDA and video, and what is left for them", units=("bytes",), interval_s=0.5, open=_open
)
