"""A request in, an answer out: what the agent is asked to do, and the one place where its failures end.

A request is an object of JSON: ``action``, ``root``, and what the action needs. The answer has ``ok``, or ``failure``.

    apply     changes, about, confirm_s  → receipt
    confirm   id                         → {}: the machine can still be reached (``memfit.agent.watcher``)
    undo      id or null, keep_theirs    → receipt; ``theirs``: targets that stayed as somebody made them; ``machine``:
                                           the one that the id is known to be of, or null
    status    recover                    → receipts, each with ``drift``; ``recovered``: found half-way and taken back;
                                           ``trial``: id, state and reasons (``memfit.agent.boot``); ``now``: boot_id
                                           and memory
    measure                              → memory
    compress  path                       → weights of a model as zram would hold them (``memfit.agent.compress``);
                                           nothing is written, and root is not needed
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from memfit.agent import compress
from memfit.agent.failure import Failure, of_system
from memfit.agent.machine import Image, Machine
from memfit.agent.request import check_request
from memfit.agent.transaction import UNKNOWN, Transactions
from memfit.agent.tree import Tree
from memfit.agent.trial import read_trial
from memfit.agent.watcher import confirm


def answer(request: dict[str, Any], machine: Machine | None = None) -> dict[str, Any]:
    """Do what is asked; a failure is an answer too."""
    try:
        check_request(request)
        return {"ok": _do(request, machine)}
    except Failure as failure:
        return {"failure": failure.as_json()}
    except OSError as error:
        return {"failure": of_system(str(error.filename or request.get("root") or "/"), error).as_json()}


def identity(tree: Tree) -> str:
    """What tells this machine from others: the digest of its machine id, which is nobody's business in a receipt.

    An image that was never booted has none: it is ``unknown``, and undone where it has got one as well.
    """
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            content = tree.read(path).strip()
        except OSError:
            continue
        if content not in (b"", b"uninitialized"):
            return hashlib.sha256(b"memfit " + content).hexdigest()[:16]
    return UNKNOWN


def _do(request: dict[str, Any], machine: Machine | None) -> dict[str, Any]:
    root, action = request.get("root") or "/", request["action"]
    if not os.path.isdir(root):  # noqa: PTH112  stdlib, small
        raise Failure("refused", f"{root}: there is no such folder", hint="--root names the top of an image")
    tree = Tree(root)
    machine = machine or (Machine() if os.path.realpath(root) == "/" else Image())
    if action == "measure":
        return {"memory": machine.memory()}
    if action == "compress":
        return compress.measure(tree, request.get("path") or "")
    transactions = Transactions(tree, machine, identity(tree))
    if action == "apply":
        about = request.get("about") or {}
        return {"receipt": transactions.apply(request.get("changes"), about, request.get("confirm_s"))}
    if action == "confirm":
        confirm(transactions.journal, request.get("id") or "")
        return {}
    if action == "undo":
        transactions.refuse_other(request.get("machine"), "this receipt")
        return {"receipt": transactions.undo(request.get("id"), keep_theirs=bool(request.get("keep_theirs")))}
    if action == "status":
        found = _status(transactions, tree, recover=bool(request.get("recover")))
        return {**found, "now": {"boot_id": machine.boot_id(), "memory": machine.memory()} if machine.live else {}}
    raise Failure("refused", f"the agent does not know how to {action!r}")


def _status(transactions: Transactions, tree: Tree, *, recover: bool) -> dict[str, Any]:
    recovered: list[str] = []
    if recover:
        with transactions.journal.lock():
            recovered = transactions.recover()
    receipts = []
    for entry in transactions.journal.entries():
        try:
            receipt = transactions.receipt(entry)
            drift = transactions.drift(entry) if entry.state == "applied" else []
        except Failure as failure:
            receipt, drift = {"id": entry.id, "state": entry.state, "steps": []}, [failure]
        receipts.append({**receipt, "drift": [one.as_json() for one in drift]})
    trial = read_trial(tree)
    told = {name: trial.get(name) for name in ("id", "state", "reasons")} if trial else None
    return {"receipts": receipts, "recovered": recovered, "trial": told}
