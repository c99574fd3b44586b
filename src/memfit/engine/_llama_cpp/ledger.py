"""llama.cpp's answer to "what does this take?": terms of the model, of what runs beside it, and of the process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from memfit.device.read_ahead import read_ahead_bytes
from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, Origin
from memfit.engine._llama_cpp.agreement import agree, compare
from memfit.engine._llama_cpp.answers import Answer, answer
from memfit.engine._llama_cpp.buffers import table_bytes
from memfit.engine._llama_cpp.built import built_for
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine._llama_cpp.terms import Build, build, headroom_term, model_terms, process_terms
from memfit.engine._llama_cpp.weights import place
from memfit.engine.records import Asked, Compared, Deployment, Options, Profile, Term
from memfit.errors import UnknownArchitecture
from memfit.model.shape import ModelShape
from memfit.units import KIB, MIB, format_bytes, format_tokens


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """Every term of ``deployment`` on ``device``.

    Raises:
        UsageError: options that the engine refuses.
        EngineMissing, EngineFailed: the engine was to be asked and did not answer.
        Disagreement: formula and engine differ, with ``both``.
        UnknownArchitecture: no formula for it, and no engine was asked.
    """
    options, shape = deployment.options, models.model
    if device.here:
        device = _as_it_is(device, shape)
    found = answer(shape, models.origin, options, device, asked)
    if device.here and found.identity is not None:
        # what the build here was made for decides which weights it rearranges, not all that the processor could
        device = msgspec.structs.replace(device, instructions=found.identity.instructions)
    if asked == "both" and deployment.format is not None and models.origin.header is not None:
        from memfit.engine._llama_cpp.requantized import agree_on_format

        agree_on_format(shape, models.origin.header, deployment.format)
    compared: tuple[Compared, ...] = ()
    if shape.layers:
        plan = build(shape, options, device, profile=profile, compute=found.compute)
        own, compared = _asked(plan, found, compare_them=asked == "both")
        terms = [*own, *process_terms(plan)]
    else:
        terms = list(_unknown(shape, options, device, profile, found))
    terms = _with_adapters(terms, models)
    if models.projector is not None:
        from memfit.engine._llama_cpp.beside import projector_term

        terms.append(projector_term(models.projector, options, device))
    if models.draft is not None:
        term, drafted = _draft_term(models.draft, models.draft_origin, options, device, profile, asked)
        terms.append(term)
        compared += tuple(msgspec.structs.replace(one, term=f"draft {one.term}") for one in drafted)
    terms.append(headroom_term(terms, device, options, profile))
    warnings = [
        *_warnings(shape, options, device, profile),
        *_disk_warnings(shape, options, device),
        *_draft_warnings(shape, models.draft),
    ]
    return Ledger(terms=tuple(terms), engine=found.engine, warnings=tuple(warnings), compared=compared)


def _as_it_is(device: Device, shape: ModelShape) -> Device:
    """This machine as the engine finds it: the instructions it was built for, and the disk that the file lies on."""
    ahead = read_ahead_bytes(shape.shards[0].path) if shape.shards else None
    return msgspec.structs.replace(
        device,
        instructions=built_for(device.instructions),
        read_ahead_bytes=device.read_ahead_bytes if ahead is None else ahead,
    )


def _asked(plan: Build, found: Answer, *, compare_them: bool) -> tuple[list[Term], tuple[Compared, ...]]:
    """A model's terms with what the engine said of them, and both beside each other where they are to be compared."""
    terms = list(model_terms(plan))
    if found.reserved is None or found.identity is None:
        return terms, ()
    compared = compare(terms, plan, found.reserved, found.identity) if compare_them else ()
    return agree(terms, found.reserved), compared


def _unknown(shape: ModelShape, options: Options, device: Device, profile: Profile, found: Answer) -> Iterable[Term]:
    if found.reserved is None:
        raise UnknownArchitecture(
            f"memfit does not know the architecture {shape.architecture!r}, and no engine was asked",
            hint="use --source engine (needs memfit[llama])",
        )
    from memfit.engine._llama_cpp.unknown import unknown_terms

    return unknown_terms(shape, options, device, profile, found.compute, found.reserved)


def _with_adapters(terms: list[Term], models: Models) -> list[Term]:
    """LoRA adapters are weights read into buffers of their own, whatever the load mode."""
    if not models.adapters:
        return terms
    from memfit.engine._llama_cpp.beside import adapters_part

    part = adapters_part(models.adapters)

    def grown(term: Term) -> Term:
        if term.name != "weights":
            return term
        return msgspec.structs.replace(
            term,
            low_bytes=term.low_bytes + part.bytes,
            likely_bytes=term.likely_bytes + part.bytes,
            high_bytes=term.high_bytes + part.bytes,
            parts=(*term.parts, part),
        )

    return [grown(term) for term in terms]


def _draft_term(
    draft: ModelShape, origin: Origin, options: Options, device: Device, profile: Profile, asked: Asked
) -> tuple[Term, tuple[Compared, ...]]:
    """A draft model is a second model in the same process: its weights, cache and buffers in one line.

    It takes the target's context and slots; its cache stays F16 (``--spec-draft-type-k``, common/arg.cpp).
    """
    own = msgspec.structs.replace(options, kv_type_k="F16", kv_type_v="F16", rollback_tokens=0)
    found = answer(draft, origin, own, device, asked)
    plan: Build = build(draft, own, device, profile=profile, compute=found.compute)
    terms, compared = _asked(plan, found, compare_them=asked == "both")
    tables = table_bytes(draft, plan.settings)  # its context has its own, which ``runtime`` does not hold
    term = Term(
        name="draft",
        pool=plan.pool,
        low_bytes=sum(term.low_bytes for term in terms),
        likely_bytes=sum(term.likely_bytes for term in terms) + tables,
        high_bytes=sum(term.high_bytes for term in terms) + tables + tables // 2,
        evictable_bytes=sum(term.evictable_bytes for term in terms),
        working_set_bytes=sum(term.working_set_bytes for term in terms),
        source="formula",
        formula=f"{draft.name}: weights, KV cache, buffers, tokenizer and context tables of a second model",
    )
    return term, compared


def _draft_warnings(shape: ModelShape, draft: ModelShape | None) -> Iterator[str]:
    # common_speculative_are_compatible allows vocabularies to differ by 128 entries at most (common/speculative.cpp)
    if draft is not None and abs(draft.vocabulary_tokens - shape.vocabulary_tokens) > MOST_VOCABULARY_DIFFERENCE:
        yield (
            f"{draft.name} has {draft.vocabulary_tokens} tokens and {shape.name} {shape.vocabulary_tokens}:"
            " a draft model needs the vocabulary of its target"
        )


MOST_VOCABULARY_DIFFERENCE = 128

# what a window of 128 KiB, the kernel's default, adds to a working set is not worth a word
_WORTH_A_WORD_BYTES = 32 * MIB


def _disk_warnings(shape: ModelShape, options: Options, device: Device) -> Iterator[str]:
    """A disk that reads far ahead makes mapped weights need more memory than they have bytes."""
    usual = Device(name="", unified=False, capacity_bytes=0, grade="stated", source="").read_ahead_bytes
    if device.read_ahead_bytes <= usual or options.load_mode != "mmap":
        return
    needs = [
        place(shape, options, device.instructions, unified=device.unified, read_ahead_bytes=ahead).read_again_bytes
        for ahead in (device.read_ahead_bytes, usual)
    ]
    if needs[0] - needs[1] > _WORTH_A_WORD_BYTES:
        yield (
            f"its disk reads {device.read_ahead_bytes // KIB} KiB on both sides of a missing page (read_ahead_kb), so"
            f" that {format_bytes(needs[0] - needs[1])} more of the mapped file must stay in memory than with the usual"
            f" {usual // KIB} KiB: blockdev --setra {usual // 512} on the disk, or --load-mode none, takes that away"
        )


def _warnings(shape: ModelShape, options: Options, device: Device, profile: Profile) -> Iterator[str]:
    settings = resolve(shape, options)
    trained = shape.context_trained_tokens
    if trained and settings.slot_tokens > trained:
        yield (
            f"a context of {format_tokens(settings.slot_tokens)} tokens is above the trained"
            f" {format_tokens(trained)}: it is computed, but the model was not made for it"
        )
    # the engine's default batch may well be above a small context; one that was chosen is a mistake
    if options.batch_tokens != Options().batch_tokens and options.batch_tokens > settings.batch_tokens:
        yield f"batch {options.batch_tokens} is above the context: the engine lowers it to {settings.batch_tokens}"
    if options.ubatch_tokens > options.batch_tokens:
        yield f"ubatch {options.ubatch_tokens} is above batch {options.batch_tokens}: the engine lowers it"
    if options.backend == "cuda":
        if device.unified and options.load_mode == "mmap":
            yield "on an integrated GPU llama.cpp reads the file into memory: its automatic load mode turns mmap off"
        if not device.unified:
            yield "the GPU has a memory of its own, which is not read: everything is judged against one capacity"
    if device.physical_bytes and device.capacity_bytes > device.physical_bytes:
        yield (
            f"{format_bytes(device.capacity_bytes)} were stated, and {device.name} has"
            f" {format_bytes(device.physical_bytes)} in all"
        )
    if options.backend == "cpu" and options.gpu_layers > 0:
        yield f"{options.gpu_layers} layers for a GPU, and the backend is the CPU's: they stay there (--backend cuda)"
    if profile == "server" and (options.cache_ram_bytes or options.cache_ram_unlimited):
        yield (
            "the server keeps prompts for later: its memory grows after load by up to --cache-ram;"
            " --cache-ram 0 turns that off"
        )
