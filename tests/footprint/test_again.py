import json
from typing import Any

import click
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.cli._estimate_options import changed, engine_options
from memfit.cli._group import run
from memfit.device import find_device
from memfit.engine.records import Options, Profile
from memfit.engine.runtimes.llama_cpp import ENGINE, SERVER
from memfit.footprint import Footprint
from memfit.footprint.again import as_command
from memfit.footprint.estimate import estimate
from memfit.units import GIB, MIB


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        (Options(), "library"),
        (
            Options(
                context_tokens=1000,
                slots=3,
                ubatch_tokens=128,
                kv_type_k="Q8_0",
                repack=False,
                full_window_cache=False,
                flash_attention=True,
                load_mode="none",
                output_rows=3,
                threads=2,
            ),
            "library",
        ),
        (Options(flash_attention=False, kv_type_k="Q4_0"), "library"),
        (SERVER, "server"),
    ],
)
def test_the_command_leads_to_the_same_footprint(
    capsys: pytest.CaptureFixture[str], options: Options, profile: str
) -> None:
    device = find_device("orin-nano-8gb", memory_bytes=3 * GIB)
    footprint = estimate(
        "SmolLM2-135M",
        device=device,
        options=options,
        profile="server" if profile == "server" else "library",
        format="Q8_0",
        source="formula",
        relief=False,
    )
    words = list(as_command(footprint))[1:]
    assert run([*words, "--source", "formula", "--json"]) in (0, 10)
    again = json.loads(capsys.readouterr().out)
    assert again["required_bytes"] == footprint.required_bytes
    assert again["capacity_bytes"] == footprint.capacity_bytes
    assert again["deployment"]["format"] == "Q8_0"


def test_a_name_like_an_option_stays_a_name() -> None:
    footprint = estimate("SmolLM2-135M", device=find_device(memory_bytes=GIB), source="formula", relief=False)
    odd = msgspec.structs.replace(footprint, deployment=msgspec.structs.replace(footprint.deployment, model="-rf.gguf"))
    assert as_command(odd)[2] == "./-rf.gguf"


@click.command()
@engine_options
@click.pass_obj
def _parsed(default: Options, /, **written: Any) -> Options:
    return changed(default, written)


_any_options = st.fixed_dictionaries(
    {},
    optional={
        "context_tokens": st.sampled_from([0, 512, 1000, 4096]),
        "slots": st.integers(1, 5),
        "unified_kv": st.booleans(),
        "batch_tokens": st.sampled_from([64, 2048]),
        "ubatch_tokens": st.sampled_from([0, 64, 512]),
        "kv_type_k": st.sampled_from(["F16", "Q8_0"]),
        "kv_type_v": st.sampled_from(["F16", "Q8_0"]),
        "flash_attention": st.booleans(),
        "locked": st.booleans(),
        "repack": st.booleans(),
        "gpu_layers": st.sampled_from([-1, 0, 3]),
        "backend": st.sampled_from(["cpu", "cuda"]),
        "full_window_cache": st.booleans(),
        "output_rows": st.integers(0, 5),
        "embeddings": st.booleans(),
        "cache_ram_bytes": st.sampled_from([0, 64 * MIB]),
        "checkpoints": st.sampled_from([0, 4, 32]),
        "threads": st.sampled_from([0, 4]),
    },
)


@pytest.fixture(scope="module")
def small() -> Footprint:
    return estimate("SmolLM2-135M", device=find_device("orin-nano-8gb"), source="formula", relief=False)


@given(changes=_any_options, profile=st.sampled_from(["library", "server"]), unlimited=st.booleans())
def test_every_option_comes_back_whatever_the_others_are(
    small: Footprint, changes: dict[str, Any], profile: Profile, unlimited: bool
) -> None:
    default = ENGINE.profiles[profile]
    options = msgspec.structs.replace(default, **changes)
    if unlimited:
        options = msgspec.structs.replace(options, cache_ram_bytes=0, cache_ram_unlimited=True)
    deployment = msgspec.structs.replace(small.deployment, options=options)
    words = as_command(msgspec.structs.replace(small, deployment=deployment, profile=profile))
    words = tuple(word for word in words[3:] if word not in ("--profile", profile, "--device", small.device.name))
    assert _parsed.main(list(words), standalone_mode=False, obj=default) == options
