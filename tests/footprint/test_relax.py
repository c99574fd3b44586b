"""The changes that are offered."""

import msgspec

from memfit.device import find_device
from memfit.engine.records import Options
from memfit.engine.runtimes.llama_cpp import SERVER
from memfit.footprint.estimate import estimate
from memfit.units import GIB


def test_a_quantized_cache_can_still_be_made_smaller() -> None:
    options = Options(context_tokens=32768, kv_type_k="Q8_0", kv_type_v="Q8_0")
    footprint = estimate("Llama-3.2-1B", device=find_device(memory_bytes=2 * GIB), options=options, source="formula")
    changes = {(relief.option, relief.value) for relief in footprint.relief}
    assert ("--kv-type", "q4_0") in changes
    assert ("--kv-type", "q8_0") not in changes
    smallest = msgspec.structs.replace(options, kv_type_k="Q4_0", kv_type_v="Q4_0")
    again = estimate("Llama-3.2-1B", device=find_device(memory_bytes=2 * GIB), options=smallest, source="formula")
    assert not any(relief.option == "--kv-type" for relief in again.relief)


def test_saved_prompts_without_a_limit_are_priced() -> None:
    options = msgspec.structs.replace(SERVER, context_tokens=8192, cache_ram_bytes=0, cache_ram_unlimited=True)
    device = find_device(memory_bytes=2 * GIB)
    footprint = estimate("Llama-3.2-1B", device=device, options=options, profile="server", source="formula")
    assert ("--cache-ram", "0") in {(relief.option, relief.value) for relief in footprint.relief}
    assert any("--cache-ram 0 turns that off" in warning for warning in footprint.warnings)
