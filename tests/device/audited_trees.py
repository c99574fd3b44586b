"""Ledgers of the written trees, for tests."""

from __future__ import annotations

from pathlib import Path

from trees import TreeHost, write_tree

from memfit.device.audit_records import Swap
from memfit.device.ledger import LedgerFacts
from memfit.device.ledger_read import Machine, read_ledger_facts
from memfit.device.nvmap import read_nvmap


def tree_facts(name: str, folder: Path) -> tuple[LedgerFacts, TreeHost]:
    """What a ledger of this tree is made of, with the host that has it."""
    host = write_tree(name, folder)
    written = host.machine
    swaps: tuple[Swap, ...] = ()
    if written.zram_cost:
        swaps = (
            Swap(
                name="zram",
                kind="zram",
                size_bytes=written.swap_total * 1024,
                used_bytes=written.swap_used * 1024,
                original_bytes=written.swap_used * 1024,
                compressed_bytes=written.zram_cost * 1024,
                cost_bytes=written.zram_cost * 1024,
            ),
        )
    machine = Machine(
        compatible=written.compatible,
        l4t=written.l4t,
        tegra=True,
        board_bytes=written.dram * 1024,
        board_name=written.name,
        swaps=swaps,
        nvmap=read_nvmap(host),
    )
    facts = read_ledger_facts(host, machine)
    assert facts is not None
    return facts, host
