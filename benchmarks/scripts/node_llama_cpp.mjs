// Ask node-llama-cpp by its API, and print one line of JSON.
//   node node_llama_cpp.mjs read FILE                        import and reading in ms
//   node node_llama_cpp.mjs estimate FILE CONTEXT FULL_SWA   bytes of model and context, and ms of its steps
// $NODE_LLAMA_CPP is the module's dist/index.js.
const [what, file, context, fullWindow] = process.argv.slice(2);
const start = performance.now();
const {getLlama, readGgufFileInfo, GgufInsights} = await import(process.env.NODE_LLAMA_CPP);
const imported = performance.now();

if (what === "read") {
    await readGgufFileInfo(file, {logWarnings: false});
    console.log(JSON.stringify({import_ms: imported - start, read_ms: performance.now() - imported}));
} else {
    const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
    const insights = await GgufInsights.from(await readGgufFileInfo(file, {logWarnings: false}), llama);
    const model = await insights.estimateModelResourceRequirementsV2({gpuLayers: 0, useMmap: false});
    const reserved = await insights.estimateContextResourceRequirementsV2({
        contextSize: Number(context),
        modelGpuLayers: 0,
        batchSize: 512,
        sequences: 1,
        flashAttention: true,
        swaFullCache: fullWindow === "full",
        useMmap: false
    });
    console.log(JSON.stringify({
        model_bytes: model.cpuRam,
        context_bytes: reserved.cpuRam,
        release: llama.llamaCppRelease.release
    }));
}
process.exit(0);
