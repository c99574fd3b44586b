"""llama.cpp, embedded through llama-cpp-python."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="llama.cpp",
    module="llama_cpp",
    distribution="llama-cpp-python",
    # without the package's __init__, whose numpy and jinja2 are none of the engine's
    statement="""
import importlib, importlib.util, sys, types
package = types.ModuleType("llama_cpp")
package.__path__ = list(importlib.util.find_spec("llama_cpp").submodule_search_locations)
sys.modules["llama_cpp"] = package
llama = importlib.import_module("llama_cpp.llama_cpp")
llama.llama_backend_init()
llama.llama_print_system_info()
""",
    brings_up="the library loaded by ctypes, its backends found",
    summary="the engine that memfit embeds",
    documented_low_bytes=50_000_000,
    documented_high_bytes=50_000_000,
    aliases=("llama cpp python", "llamacpp"),
)
