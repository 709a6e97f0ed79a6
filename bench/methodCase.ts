/** Steps of FPO beside those of methods that it is compared with, in turn on one device. */
import { createRandom } from "../src/engine/data/random.ts";
import { objectives } from "../src/engine/losses/index.ts";
import { uploadSae, type SparseAutoencoder } from "../src/engine/sae/sparseAutoencoder.ts";
import { openDevice, type Device } from "../src/engine/tensor/device.ts";
import type { ModelConfig } from "../src/engine/models/config.ts";
import type { RunConfig } from "../src/engine/training/config.ts";
import { difference, gpuCounts, startGpuCounters } from "./gpuCounters.ts";
import { createOwnRun, type OwnRun } from "./ownStep.ts";
import { medianRatio, timesInTurn } from "./rounds.ts";
import { emptyRow, type MethodRow, type Row } from "./row.ts";
import { stepSize, type StepShape } from "./shapes.ts";

/** Features of the autoencoder, as many as the studio's own ones have. */
const WIDTH = 512;
/** Features of a top k: the paper's. */
const TOP_K = 50;
const THRESHOLD = 0.1;
/** Steps after which everything has been seen. */
const WARM_STEPS = 2;

/** FPO, and what its time is divided by, with the goal of that ratio. */
const contestants = [
  { method: "fpo", referenceMode: "cached", goal: null },
  { method: "sigmoid_norm", referenceMode: "cached", goal: 1.1 },
  { method: "tdpo2", referenceMode: "live", goal: 0.8 },
] as const;

/** Ratios of a step's time, dispatches, and what is remembered of a pair. */
export async function measureMethods(
  shape: StepShape,
  { rounds }: { readonly rounds: number },
): Promise<Row> {
  startGpuCounters();
  const device = await openDevice({ backend: "webgpu" });
  const sae = randomSae(shape.config);
  const runs: OwnRun[] = [];
  try {
    for (const contestant of contestants) runs.push(await openRun(shape, contestant, sae));
    const dispatches: number[] = [];
    for (const run of runs) dispatches.push(await warm(run));
    const work = contestants.map(({ method }, place) => [method, () => stepOf(runs[place], device)] as const);
    const times = await timesInTurn(Object.fromEntries(work), rounds);
    const methods = contestants.map(({ method, referenceMode, goal }, place): MethodRow => ({
      method,
      referenceMode,
      goal,
      fpoRatio: method === "fpo" ? null : medianRatio(times["fpo"] ?? [], times[method] ?? []),
      referenceBytesPerPair: runs[place]?.referenceBytesPerPair() ?? NaN,
      dispatches: dispatches[place] ?? NaN,
    }));
    return { ...emptyRow(shape.name, stepSize(shape).text), methods };
  } finally {
    for (const run of runs) await run.dispose();
    sae.dispose();
    device.close();
  }
}

function openRun(
  shape: StepShape,
  { method, referenceMode }: Pick<RunConfig, "referenceMode"> & { readonly method: keyof typeof objectives },
  sae: SparseAutoencoder,
): Promise<OwnRun> {
  const knobs = objectives[method].parameters.map(({ key, default: value }) => [key, value] as const);
  const isFpo = method === "fpo";
  const params = { ...Object.fromEntries(knobs), ...(isFpo ? { topK: TOP_K } : {}) };
  const changes = { method, referenceMode, params };
  return createOwnRun(shape, isFpo ? { changes, features: { saes: [sae], startToken: null } } : { changes });
}

/** A step that is over when the device has finished. */
async function stepOf(run: OwnRun | undefined, device: Device): Promise<void> {
  await run?.step();
  await device.settled();
}

/** Takes steps until nothing is new; resolves to the dispatches of one more. */
async function warm(run: OwnRun): Promise<number> {
  for (let step = 0; step < WARM_STEPS; step++) await run.step();
  const before = gpuCounts();
  await run.step();
  return difference(gpuCounts(), before).dispatches;
}

/** Random features of the last block's output. */
function randomSae({ hiddenSize: inputSize, layers }: ModelConfig): SparseAutoencoder {
  const random = createRandom(1);
  const layer = layers - 1;
  return uploadSae({
    inputSize,
    width: WIDTH,
    layer,
    hook: `blocks.${layer}.hook_resid_post`,
    modelName: null,
    encoder: Float32Array.from({ length: WIDTH * inputSize }, () => random.gaussian()),
    bias: new Float32Array(WIDTH),
    threshold: new Float32Array(WIDTH).fill(THRESHOLD),
    decoder: null,
    decoderBias: null,
  });
}
