"""What a result does not promise, in words that stand beside it."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.search.records import Candidate, Text
from memfit.search.session import Session


def notes_on(
    text: Text,
    unseen: Text,
    session: Session,
    best: Candidate | None,
    *,
    looks: int,
    left: Sequence[str] = (),
    foreseen: int = 0,
    balanced: bool = False,
) -> tuple[str, ...]:
    """Notes on a search's result.

    Args:
        text: see ``PrecisionMap``.
        unseen: see there.
        session: that found it.
        best: what was taken.
        looks: how many candidates were held against floors on the unseen text.
        left: presets that could be better, and were not measured.
        foreseen: tensors of which no probe was made.
        balanced: the head was stored as another that predicts the same.
    """
    found = []
    if text.bundled:
        found.append(
            "searched on the bundled sample, English prose and code: with your own text (--text) it fits your use"
        )
    found.append(
        f"measured on {unseen.windows * (unseen.window_tokens - unseen.first - 1):,} predictions of one text"
        f" ({unseen.name}): other texts, languages and longer contexts may lose more"
    )
    found.append(f"holds for this model: what {session.base.shape.name} loses says little of models of another size")
    if looks > 1:
        found.append(
            f"the floor was held against {looks} candidates on that text, and the next aimed by what it showed:"
            " the interval is of a single look, so a text of its own (memfit evaluate) is the stricter proof"
        )
    if foreseen:
        found.append(
            f"{foreseen} tensors of this large model were not probed: what they cost was computed from gradients;"
            " the result itself was measured"
        )
    if balanced:
        found.append(
            "output.weight and output_norm.weight are stored as others that predict the same: vectors of"
            " llama-server --embeddings, and adapters of the head, are not those of the base"
        )
    if left:
        found.append(f"presets that were not measured could be better by their predictions: {', '.join(left)}")
    if session.setting.kv != ("F16", "F16"):
        found.append(
            f"the cache in {'/'.join(session.setting.kv)} was measured in windows of {unseen.window_tokens} tokens:"
            " longer contexts may lose more"
        )
    if session.bench.idle_experts:
        count = sum(session.bench.idle_experts.values())
        found.append(
            f"{count} experts saw no token of the text: their columns are weighted by the mean of the others;"
            " a longer or more varied text reaches them"
        )
    if best is not None:
        for task in best.tasks:
            if task.p_value is not None and task.base_right is not None:
                found.append(
                    f"{task.file}: {task.right} of {task.tasks} right, the base {task.base_right};"
                    f" that both are equally good has p = {task.p_value:.2g}"
                )
    return tuple(found)
