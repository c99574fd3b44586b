import json

import pytest

from memfit.cli._group import run
from memfit.device import find_device
from memfit.engine.records import Options
from memfit.engine.runtimes.llama_cpp import SERVER
from memfit.footprint.again import as_command
from memfit.footprint.estimate import estimate
from memfit.units import GIB


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
    import msgspec

    odd = msgspec.structs.replace(footprint, deployment=msgspec.structs.replace(footprint.deployment, model="-rf.gguf"))
    assert as_command(odd)[2] == "./-rf.gguf"
