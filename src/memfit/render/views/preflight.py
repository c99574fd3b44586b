"""The preflight list of an audit, all of it."""

from __future__ import annotations

from memfit.device.audit_records import Audit
from memfit.render.document import Document, Headline
from memfit.render.views import _audit as part
from memfit.render.views._view import View


def document(audit: Audit) -> Document:
    """How many failed, every item with its evidence, the commands that mend, and which engines run here."""
    counted = {verdict: sum(check.verdict == verdict for check in audit.checks) for verdict in ("passed", "failed")}
    says = f"{counted['passed']} passed, {len(audit.checks) - sum(counted.values())} unknown or not applicable"
    verdict = f"{counted['failed']} failed" if counted["failed"] else "nothing failed"
    headline = Headline(verdict, "bad" if counted["failed"] else "ok", says)
    engines = (part.engines(audit),) if audit.engines else ()
    return Document(part.title(audit), (headline, part.checks(audit, all_of_them=True), *part.mends(audit), *engines))


VIEW = View(record=Audit, document=document, summary="the preflight list with the commands that mend")
