"""The figures of a soak, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from soaking import headroom, real
from soaking.decide import Decision
from soaking.real import Run


def table(decisions: Iterable[Decision], runs: Iterable[Run], near: Collection[int] = ()) -> str:
    """Decided, run, and how often memfit was wrong; ``near`` are refusals that may be false (``soaking.near``)."""
    kept = {one.drawn.index: one for one in decisions}
    decided = [headroom.by_todays_rules(one) for one in kept.values()]
    ran = [real.by_todays_rules(one, kept.get(one.index)) for one in runs]
    lines = ["| what | figure | goal |", "| --- | ---: | ---: |"]
    rows = (*_decided(decided), *_ran(ran), *_false_refusals(decided, ran, near))
    lines += [f"| {what} | {figure} | {goal} |" for what, figure, goal in rows]
    wrong = [*_disagreements(decided), *_failures(ran)]
    return "\n".join([*lines, "", *wrong])


def _decided(decisions: Sequence[Decision]) -> list[tuple[str, str, str]]:
    counts = Counter(one.said for one in decisions)
    by_verdict = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("fits", "tight", "no", "refused"))
    agree = sum(one.agree for one in decisions)
    both = [one for one in decisions if one.required_bytes and one.oracle_required_bytes]
    off = sorted(abs(one.required_bytes / one.oracle_required_bytes - 1) for one in both)
    return [
        ("deployments decided by formula", f"{len(decisions)} ({by_verdict})", "1,000"),
        ("the engine's own reservation leads to the same verdict", f"{agree} of {len(decisions)}", "all"),
        ("what must stay in memory, formula beside engine: p95, most", f"{_share(off, 0.95)}, {_share(off, 1)}", ""),
    ]


def _ran(runs: Sequence[Run]) -> list[tuple[str, str, str]]:
    by_said = {said: [one for one in runs if one.said == said] for said in ("fits", "tight", "no")}
    fits, tight, no = by_said["fits"], by_said["tight"], by_said["no"]
    free = [one for one in runs if one.verdict != "failed" and not one.pressed and one.likely_bytes]
    off = sorted(abs(one.observed_bytes / one.likely_bytes - 1) for one in free)
    refused = [one for one in no if one.runs]
    return [
        ("run for real", f"{len(runs)}, {sum(one.full for one in runs)} with a full context", "60, 10"),
        ("held to their limit by the kernel", f"{sum(one.mechanism != 'none' for one in runs)}", "all"),
        ("said to fit, and did not run", f"{sum(not one.runs for one in fits)} of {len(fits)}", "0"),
        ("of those: held 90 % of their limit or more; reached it, page cache included", _near_limit(fits), ""),
        ("refused, tried by force, and ran", f"{len(refused)} of {len(no)}", ""),
        ("said to page: paged or killed", f"{sum(not one.runs for one in tight)} of {len(tight)}", ""),
        ("observed peak beside likely where the limit was not reached: p95", _share(off, 0.95), ""),
        ("observed peak above high", f"{sum(one.observed_bytes > one.high_bytes for one in free)}", "0"),
    ]


def _near_limit(fits: Sequence[Run]) -> str:
    held = sum(one.observed_bytes >= 0.9 * one.limit_bytes for one in fits)
    return f"{held}; {sum(one.pressed for one in fits)}"


def _false_refusals(
    decisions: Sequence[Decision], runs: Sequence[Run], near: Collection[int]
) -> list[tuple[str, str, str]]:
    """How many of all that were refused would have run: those near their limit counted, the others by their sample."""
    refused = [one.drawn.index for one in decisions if one.said == "no"]
    # a file at hand is sized closer than its card: what was refused by card may be tried as what pages
    tried = {one.index: one.runs for one in runs}
    close = [index for index in refused if index in near]
    far = [index for index in refused if index not in near]
    missing = [index for index in close if index not in tried]
    if not close or missing:
        return [("of those near their limit still to be tried", str(len(missing)), "0")] if missing else []
    of_far = [tried[index] for index in far if index in tried]
    ran = sum(tried[index] for index in close)
    expected = ran + (len(far) * sum(of_far) / len(of_far) if of_far else 0.0)
    where = f"{ran} of {len(close)} near their limit; {sum(of_far)} of {len(of_far)} others tried"
    if len(of_far) < len(far):
        where += f", which stand for {len(far) - len(of_far)} that were not"
    return [("false refusals, of all refused", f"{expected / len(refused):.1%} ({where})", "≤ 3 %")]


def _disagreements(decisions: Iterable[Decision]) -> list[str]:
    return [
        f"- {_name(drawn.index, drawn.card, drawn.format)}: {one.said} by formula, {one.oracle} by the engine"
        for one in decisions
        for drawn in (one.drawn,)
        if not one.agree
    ]


def _failures(runs: Iterable[Run]) -> list[str]:
    lines = []
    for one in runs:
        name = _name(one.index, one.card, one.format)
        if one.said == "fits" and not one.runs:
            lines.append(f"- {name}: said to fit {one.limit_bytes >> 20} MiB, and {one.verdict}: {one.why}")
        elif one.said == "fits" and "not judged: " in one.why:
            lines.append(f"- {name}: said to fit {one.limit_bytes >> 20} MiB, and it ran: {one.why}")
        elif one.said == "no" and one.runs:
            needed, limit = one.required_bytes >> 20, one.limit_bytes >> 20
            unsure = f": {one.why}" if "speed is not judged" in one.why else ""
            lines.append(f"- {name}: refused ({needed} MiB in {limit} MiB), and it ran{unsure}")
        elif one.verdict == "over":
            lines.append(f"- {name}: {one.observed_bytes >> 20} MiB observed, {one.high_bytes >> 20} MiB at most")
    return lines


def _name(index: int, card: str, preset: str) -> str:
    return f"{index} ({card} {preset})"


def _share(ordered: Sequence[float], quantile: float) -> str:
    if not ordered:
        return "none"
    return f"{ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]:.2%}"
