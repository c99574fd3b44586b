"""The table that answers thousands of questions says what ``memfit estimate`` says, to the byte."""

import random

import msgspec
import pytest

from memfit.device import Device, find_device
from memfit.engine.records import Deployment, with_slots
from memfit.engine.runtimes import ENGINES
from memfit.fit.formats import formats_of
from memfit.fit.sizes import CONTEXTS, PROGRAM, add, profile_of, served, table
from memfit.footprint.estimate import estimate_deployment, find_models
from memfit.model.cards import CARDS
from memfit.speed.touched import profile

# two sizes: what engines take by the size of the device's memory is added for each
BOARDS = [find_device("agx-orin-64gb"), find_device("orin-nano-8gb")]
ENGINE_KEYS = sorted({engine for model in table().models.values() for engine in model.engines})


def drawn(engine: str, count: int) -> list[tuple[str, str, int]]:
    """Models, formats and contexts of the table, some of every corner."""
    dice = random.Random(engine)
    models = [key for key, model in table().models.items() if engine in model.engines]
    found = []
    for key in dice.sample(models, min(count, len(models))):
        sizes = table().models[key].engines[engine]
        found.append((key, dice.choice(list(sizes.formats)), dice.choice(list(sizes.contexts))))
    return found


def test_every_model_of_the_catalog_is_in_it() -> None:
    assert set(table().models) == set(CARDS.keys()), "run tools/generate_sizes.py"


def test_every_engine_that_takes_language_models_is_in_it() -> None:
    assert {"llama_cpp", "ollama", "vllm", "sglang", "tensorrt_edge_llm", "mlc"} <= set(ENGINE_KEYS)


@pytest.mark.parametrize("board", BOARDS, ids=[board.name for board in BOARDS])
@pytest.mark.parametrize("engine", ENGINE_KEYS)
def test_it_adds_up_to_what_is_predicted(engine: str, board: Device) -> None:
    runtime = ENGINES.get(engine)
    for key, format, tokens in drawn(engine, 6):
        options = msgspec.structs.replace(
            with_slots(served(engine), 1),
            context_tokens=tokens,
            backend="cpu" if runtime.on_the_processor else "cuda",
        )
        deployment = Deployment(model=CARDS.get(key).name, engine=engine, format=format, options=options)
        device = msgspec.structs.replace(board, gpu=None)  # which formats it runs is not the table's question
        predicted = estimate_deployment(
            deployment, device=device, profile=PROGRAM, source="formula", relief=False, calibration=None
        )
        sizes = table().models[key].engines[engine]
        summed = add(engine, device, sizes.formats[format], sizes.contexts[tokens])
        said = f"{engine} {key} {format} {tokens}: run tools/generate_sizes.py"
        assert summed.likely == predicted.likely_bytes, said
        assert abs(summed.high - predicted.high_bytes) <= 1, said  # a rounded share of a sum, or the sum of two
        assert abs(summed.required - predicted.required_bytes) <= 1, said


@pytest.mark.parametrize(
    ("key", "format"), [("llama_3_2_1b", "Q4_K_M"), ("gpt_oss_20b", "Q8_0"), ("gemma_2_2b", "F16")]
)
def test_speed_is_computed_from_the_same_sums(key: str, format: str) -> None:
    shape = find_models(Deployment(model=CARDS.get(key).name, format=format), source="formula").model
    whole = profile(shape)
    assert profile_of(table().models[key], format, shape) == whole


def test_contexts_end_with_the_trained_one_and_grow() -> None:
    for model in table().models.values():
        for sizes in model.engines.values():
            tokens = list(sizes.contexts)
            assert tokens == sorted(tokens)
            assert set(tokens) <= {*CONTEXTS, model.trained_tokens}
            assert max(tokens) == min(model.trained_tokens, CONTEXTS[-1])
            # compute buffers of a small context may be the larger ones, as the engine plans them
            assert sizes.contexts[tokens[-1]].kept >= 0


def test_formats_are_those_that_the_engine_is_looked_at_with() -> None:
    for model in table().models.values():
        for engine, sizes in model.engines.items():
            assert set(sizes.formats) <= set(formats_of(engine))
