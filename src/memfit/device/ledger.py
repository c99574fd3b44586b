"""The ledger of DRAM: every byte of a machine with who has it, from physical memory down to what is free.

::

    physical = firmware (never Linux's) + boot (taken before MemTotal was struck) + MemTotal
    MemTotal = boot tables taken late + kernel + drivers + user + page cache + free + what no counter shows

``ledger_boot``, ``ledger_kernel`` and ``ledger_user`` say how each part is taken from which field so that no page
counts twice. The last part is ``unexplained_bytes``: the kernel has no counter for a page that a driver takes straight
from the page allocator. It is never spread over other terms; its known causes are listed with the most each can be.
"""

from __future__ import annotations

from memfit.device.audit_records import DramTerm
from memfit.device.ledger_boot import boot_terms, firmware_terms, late_terms
from memfit.device.ledger_facts import Ledger, LedgerFacts
from memfit.device.ledger_kernel import balloon_terms, driver_terms, kernel_terms
from memfit.device.ledger_rest import explain
from memfit.device.ledger_user import cache_terms, free_terms, user_terms

__all__ = ["Ledger", "LedgerFacts", "build_ledger", "hidden_bytes"]


def build_ledger(facts: LedgerFacts) -> Ledger:
    """Add up a machine's memory; the terms come in the order of the layers, from the bottom."""
    # a board's data sheet may be of another variant than the one at hand: what Linux was handed is there in any case
    physical = max(facts.physical_bytes or 0, facts.linux_bytes)
    gap = facts.linux_bytes - facts.moment.meminfo["MemTotal"]
    # without a count of what Linux was handed the ledger begins at MemTotal, which what booting took is not part of
    boot = [*boot_terms(facts), *balloon_terms(facts)] if gap > 0 else []
    terms = (*firmware_terms(facts, physical), *boot, *_inside(facts))
    return Ledger(
        physical_bytes=physical,
        terms=terms,
        unexplained_bytes=physical - _sum(terms),
        explanations=explain(
            facts,
            boot_rest_bytes=gap - _sum(boot),
            rest_bytes=hidden_bytes(facts),
            named=frozenset(term.name for term in boot),
        ),
    )


def hidden_bytes(facts: LedgerFacts) -> int:
    """What no counter inside MemTotal shows; for a moment, pages on their way from one owner to another are in it."""
    return facts.moment.meminfo["MemTotal"] - _sum(_inside(facts))


def _inside(facts: LedgerFacts) -> list[DramTerm]:
    parts = (late_terms, kernel_terms, driver_terms, user_terms, cache_terms, free_terms)
    return [term for part in parts for term in part(facts)]


def _sum(terms: tuple[DramTerm, ...] | list[DramTerm]) -> int:
    return sum(term.bytes for term in terms)
