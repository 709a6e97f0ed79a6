/** The benchmark inside the browser. */
import { openDevice } from "../src/engine/tensor/device.ts";
import { startGpuCounters } from "./gpuCounters.ts";
import { embeddedModel, toyModel } from "./models.ts";
import { measureModel } from "./trainingStep.ts";

/** Steps on the same pairs; the toy shape is quick enough for as many as a leak needs to show. */
const TOY_STEPS = 50;
const EMBEDDED_STEPS = 8;

/** Counts first, ratios last; each part on a device of its own. */
async function runBenchmark() {
  startGpuCounters();
  const probe = await openDevice({ backend: "webgpu" });
  const { vendor, architecture, isFallbackAdapter } = probe.report;
  const embedded = await embeddedModel();
  probe.close();
  const toy = toyModel();
  console.info("counting at the toy shape");
  const models = [await measureModel(toy, TOY_STEPS)];
  console.info("counting at the embedded model");
  models.push(await measureModel(embedded, EMBEDDED_STEPS));
  // Loaded late, because they register stock kernels, which must not take part in what was counted above.
  const { measureMatmuls } = await import("./matmulRatio.ts");
  const { measureStepRatio } = await import("./stepRatio.ts");
  console.info("timing matmuls");
  const matmul = await measureMatmuls();
  console.info("timing a step in stock operations");
  const stockStep = await measureStepRatio(toy);
  return { adapter: { vendor, architecture, isFallbackAdapter }, models, matmul, stockStep };
}

Object.assign(globalThis, { runBenchmark });
