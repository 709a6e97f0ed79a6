/** One LoRA-DPO step of ours against the same step in stock operations, on one device, in alternating runs. */
import { objectives } from "../src/engine/losses/index.ts";
import { createReferenceCache } from "../src/engine/reference/referenceCache.ts";
import { openDevice } from "../src/engine/tensor/device.ts";
import { createPolicy } from "../src/engine/training/policy.ts";
import { train } from "../src/engine/training/train.ts";
import { gpuCounts } from "./gpuCounters.ts";
import { benchConfig } from "./measureRun.ts";
import type { BenchModel } from "./models.ts";
import { createStockRun } from "./stock.ts";

/** The first run of each side compiles shaders and does not count. */
const RUNS = 6;
/** Both sides must follow one trajectory for a comparison to mean anything. */
const LOSS_TOLERANCE = 1e-3;

/** How many times as long, and how many times as many dispatches, the stock step takes. */
export interface StepRatio {
  readonly model: string;
  readonly ratio: number;
  readonly ownDispatches: number;
  readonly stockDispatches: number;
}

/** Trains both ways at once from the same values; throws when the losses part. */
export async function measureStepRatio(bench: BenchModel): Promise<StepRatio> {
  const device = await openDevice({ backend: "webgpu" });
  const { model, dispose } = bench.open();
  const pairs = bench.pairs.slice(0, bench.batchPairs);
  // The stock step has no clipping.
  const config = benchConfig({ steps: RUNS, batchPairs: pairs.length, isShuffled: false, maxGradNorm: 0 });
  const { learningRate } = config;
  const policy = createPolicy(model, config);
  const stock = createStockRun({ model, policy, pairs, learningRate, beta: config.params["beta"] ?? NaN });
  const own = train({
    model,
    config,
    objective: objectives.dpo,
    trainPairs: pairs,
    heldoutPairs: pairs.slice(0, 1),
    reference: createReferenceCache(),
    live: { learningRate, evalEvery: 0 },
  });
  let [ownMs, stockMs, ownDispatches, stockDispatches] = [Infinity, Infinity, 0, 0];
  try {
    let startMs = 0;
    let before = 0;
    for await (const report of own) {
      if (report.kind === "step") {
        await device.settled();
        if (report.step > 1) ownMs = Math.min(ownMs, performance.now() - startMs);
        ownDispatches = gpuCounts().dispatches - before;
        startMs = performance.now();
        before = gpuCounts().dispatches;
        const loss = await stock.step();
        await device.settled();
        if (report.step > 1) stockMs = Math.min(stockMs, performance.now() - startMs);
        stockDispatches = gpuCounts().dispatches - before;
        checkSameLoss(report.metrics["loss"] ?? NaN, loss, report.step);
      }
      if (report.kind === "milestone") {
        await device.settled();
        startMs = performance.now();
        before = gpuCounts().dispatches;
      }
    }
    return { model: bench.name, ratio: stockMs / ownMs, ownDispatches, stockDispatches };
  } finally {
    stock.dispose();
    policy.dispose();
    dispose();
    device.close();
  }
}

function checkSameLoss(own: number, stock: number, step: number): void {
  if (Math.abs(own - stock) < LOSS_TOLERANCE) return;
  throw new Error(`The losses part at step ${step}: ${own} and ${stock} in stock operations.`);
}
