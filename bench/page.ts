/** The benchmark inside the browser. */
import { openDevice } from "../src/engine/tensor/device.ts";
import { startGpuCounters } from "./gpuCounters.ts";
import { measureMatmuls } from "./matmulRatio.ts";
import { embeddedModel, toyModel } from "./models.ts";
import { measureModel } from "./trainingStep.ts";

/** Steps on the same pairs; the toy shape is quick enough for as many as a leak needs to show. */
const TOY_STEPS = 50;
const EMBEDDED_STEPS = 12;

async function runBenchmark() {
  startGpuCounters();
  const probe = await openDevice({ backend: "webgpu" });
  const { vendor, architecture, isFallbackAdapter } = probe.report;
  const embedded = await embeddedModel();
  probe.close();
  const models = [await measureModel(toyModel(), TOY_STEPS), await measureModel(embedded, EMBEDDED_STEPS)];
  return { adapter: { vendor, architecture, isFallbackAdapter }, models, matmul: await measureMatmuls() };
}

/** What the benchmark found. */
export type BenchmarkResult = Awaited<ReturnType<typeof runBenchmark>>;

Object.assign(globalThis, { runBenchmark });
