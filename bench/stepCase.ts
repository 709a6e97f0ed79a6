/** A step of LoRA-DPO: what ours asks of the device, and how long the same step takes elsewhere. */
import { openDevice } from "../src/engine/tensor/device.ts";
import { memory } from "../src/engine/tensor/run.ts";
import {
  difference,
  gpuCounts,
  startGpuCounters,
  storageBuffers,
  takeDispatchesByName,
  type GpuCounts,
} from "./gpuCounters.ts";
import { createOwnRun, type OwnRun, type PhaseDispatches } from "./ownStep.ts";
import { stepSettings, type PeerStep } from "./peerStep.ts";
import { alternate } from "./rounds.ts";
import { emptyRow, gigaflopsOf, type Growth, type OwnCounts, type Row, type SideCounts } from "./row.ts";
import { randomShape, stepSize, type StepShape } from "./shapes.ts";

/** How thoroughly a step is measured. */
export interface StepPlan {
  /** Steps after the first two over which nothing may grow. */
  readonly growthSteps: number;
  /** Timed steps of each side. */
  readonly rounds: number;
}

/** Steps after which everything has been seen. */
const WARM_STEPS = 2;
const VARYING_STEPS = 6;
/** So much larger than any other width that a buffer of tokens times vocabulary would be the largest. */
const LARGE_VOCABULARY = 8209;
const BYTES_PER_NUMBER = 4;
/** Sides must follow one trajectory for a comparison to mean anything. */
const LOSS_TOLERANCE = 1e-3;
/** As a fraction of the largest value of a parameter's gradient. */
const GRADIENT_TOLERANCE = 1e-3;

/** Measures one shape; throws when the sides do not agree. */
export async function measureStep(shape: StepShape, { growthSteps, rounds }: StepPlan): Promise<Row> {
  startGpuCounters();
  const { text } = stepSize(shape);
  const layers = await measureLayers(shape);
  const own = await onFreshDevice(shape, { growthSteps });
  const varyingGrowth =
    shape.varyingPairs === null
      ? null
      : (await onFreshDevice(shape, { growthSteps: VARYING_STEPS, isVarying: true })).counts.growth;
  const counted: OwnCounts = {
    ...own.counts,
    hasTokensTimesVocabulary: layers.hasTokensTimesVocabulary,
    varyingGrowth,
  };
  const row: Row = {
    ...emptyRow(shape.name, text),
    counts: { own: counted, tfjs: null, jax: null },
    forwardDispatchesPerLayer: layers.forward,
    backwardDispatchesPerLayer: layers.backward,
    optimizerDispatches: own.phases.optimizer,
    tensorGrowth: own.counts.growth?.tensors ?? null,
    estimatedBytes: own.estimatedBytes,
    measuredPeakBytes: own.counts.peakBytes,
  };
  return compare(row, shape, rounds);
}

/** A single step of ours alone: what it holds at most. */
export async function measureMemory(
  shape: StepShape,
  { isAllocating = false }: { readonly isAllocating?: boolean },
): Promise<Row> {
  startGpuCounters();
  const options = { growthSteps: 1 - WARM_STEPS, isAllocating };
  const { counts, phases, estimatedBytes } = await onFreshDevice(shape, options);
  return {
    ...emptyRow(shape.name, `${stepSize(shape).text}, weights in ${shape.layout}`),
    counts: {
      own: { ...counts, growth: null, hasTokensTimesVocabulary: null, varyingGrowth: null },
      tfjs: null,
      jax: null,
    },
    optimizerDispatches: phases.optimizer,
    estimatedBytes,
    measuredPeakBytes: counts.peakBytes,
  };
}

/** What the same shape costs per layer: the difference between two layers and one. */
async function measureLayers(shape: StepShape) {
  const [first] = shape.pairs;
  const lengths = {
    count: shape.pairs.length,
    prompt: first?.prompt.length ?? 0,
    answer: first?.chosen.length ?? 0,
  };
  const withLayers = (layers: number) =>
    randomShape(shape.name, { ...shape.config, layers, vocabularySize: LARGE_VOCABULARY }, lengths);
  const one = await onFreshDevice(withLayers(1), { growthSteps: 0 });
  const two = await onFreshDevice(withLayers(2), { growthSteps: 0 });
  const forward = two.phases.forward - one.phases.forward;
  // With fewer scored tokens than columns a weight is larger than what is looked for.
  const entries = 2 * lengths.count * lengths.answer;
  const hasTokensTimesVocabulary =
    entries <= shape.config.hiddenSize
      ? null
      : one.counts.largestBufferBytes >= BYTES_PER_NUMBER * entries * LARGE_VOCABULARY;
  return { forward, backward: two.phases.backward - one.phases.backward, hasTokensTimesVocabulary };
}

interface FreshRun {
  readonly phases: PhaseDispatches;
  readonly estimatedBytes: number;
  readonly counts: Omit<OwnCounts, "hasTokensTimesVocabulary" | "varyingGrowth">;
}

/** Our steps alone, so that every buffer of the device is ours. */
async function onFreshDevice(
  shape: StepShape,
  options: {
    readonly growthSteps: number;
    readonly isVarying?: boolean;
    readonly isAllocating?: boolean;
  },
): Promise<FreshRun> {
  const { growthSteps, isVarying = false, isAllocating = false } = options;
  const before = gpuCounts();
  const device = await openDevice({ backend: "webgpu" });
  const run = await createOwnRun(shape, {
    isAllocating,
    ...(isVarying && shape.varyingPairs ? { pairs: shape.varyingPairs } : {}),
  });
  try {
    const steps: CountedStep[] = [];
    for (let step = 0; step < WARM_STEPS + growthSteps; step++)
      steps.push(await countStep(run, device.gpuDevice));
    const last = steps.at(-1);
    if (last === undefined) throw new Error("No step was taken.");
    const { peakBytes, sizes } = storageBuffers(device.gpuDevice);
    const jsMs = steps.slice(WARM_STEPS).map(({ jsMilliseconds }) => jsMilliseconds);
    return {
      phases: last.phases,
      estimatedBytes: run.estimatedBytes,
      counts: {
        ...sideCounts(
          last.counts,
          peakBytes,
          jsMs.toSorted((a, b) => a - b)[jsMs.length >> 1] ?? last.jsMilliseconds,
        ),
        dispatchesByName: last.dispatchesByName,
        pipelines: difference(gpuCounts(), before).createPipeline,
        largestBufferBytes: Math.max(...sizes),
        growth: growthSteps > 0 ? growthOf(steps) : null,
      },
    };
  } finally {
    await run.dispose();
    device.close();
  }
}

interface CountedStep {
  readonly counts: GpuCounts;
  readonly phases: PhaseDispatches;
  readonly dispatchesByName: Readonly<Record<string, number>>;
  readonly jsMilliseconds: number;
  readonly tensors: number;
  readonly storageBytes: number;
}

async function countStep(run: OwnRun, device: GPUDevice | null): Promise<CountedStep> {
  takeDispatchesByName();
  const before = gpuCounts();
  const startMs = performance.now();
  const { phases } = await run.step();
  const wallMs = performance.now() - startMs;
  const counts = difference(gpuCounts(), before);
  return {
    counts,
    phases,
    dispatchesByName: takeDispatchesByName(),
    jsMilliseconds: wallMs - counts.waitedMs,
    tensors: memory().numTensors,
    storageBytes: storageBuffers(device).bytes,
  };
}

function sideCounts(counts: GpuCounts, peakBytes: number, jsMilliseconds: number): SideCounts {
  const { waitedMs: _waited, ...rest } = counts;
  return { ...rest, peakBytes, jsMilliseconds };
}

function growthOf(steps: readonly CountedStep[]): Growth {
  const warm = steps[WARM_STEPS - 1];
  const last = steps.at(-1);
  const later = steps.slice(WARM_STEPS);
  const sum = (name: "createBuffer" | "createBindGroup" | "createPipeline") =>
    later.reduce((total, { counts }) => total + counts[name], 0);
  return {
    steps: later.length,
    tensors: (last?.tensors ?? NaN) - (warm?.tensors ?? NaN),
    storageBytes: (last?.storageBytes ?? NaN) - (warm?.storageBytes ?? NaN),
    createBuffer: sum("createBuffer"),
    createBindGroup: sum("createBindGroup"),
    createPipeline: sum("createPipeline"),
    lastStepThatCreated:
      1 +
      steps.findLastIndex(
        ({ counts }) => counts.createBuffer + counts.createBindGroup + counts.createPipeline > 0,
      ),
  };
}

/** Adds the other sides: what they ask of the device, and times in turn. */
async function compare(row: Row, shape: StepShape, rounds: number): Promise<Row> {
  // Loaded late: it registers stock kernels, which must not take part in what was counted before.
  const { createStockStep } = await import("./stock/stockStep.ts");
  const { createJaxStep, openJax } = await import("./jaxStep.ts");
  const device = await openDevice({ backend: "webgpu" });
  const jaxDevice = await openJax();
  // The stock side first and alone, because its buffers come from the pool that ours use, too.
  const tfjs = createStockStep({ shape, settings: stepSettings });
  const jax = await createJaxStep(shape, stepSettings);
  const tfjsWarm = await warm(tfjs, device.gpuDevice);
  const jaxWarm = await warm(jax, jaxDevice);
  const own = await createOwnRun(shape);
  try {
    let ownLoss = (await own.step()).loss;
    const ours = await own.save();
    checkGradients(ours, { name: "tfjs", moments: tfjsWarm.moments });
    checkGradients(ours, { name: "jax-js", moments: jaxWarm.moments });
    const losses = [ownLoss, ...(await takeLosses(own, WARM_STEPS))];
    losses.forEach((loss, step) => {
      checkLoss(loss, tfjsWarm.losses[step] ?? NaN, `tfjs, step ${step + 1}`);
      checkLoss(loss, jaxWarm.losses[step] ?? NaN, `jax-js, step ${step + 1}`);
    });
    const timed = await alternate(
      {
        own: async () => {
          ownLoss = (await own.step()).loss;
          await device.settled();
        },
        tfjs: async () => {
          checkLoss(ownLoss, await tfjs.step(), "tfjs");
          await device.settled();
        },
        jax: async () => {
          checkLoss(ownLoss, await jax.step(), "jax-js");
          await jaxDevice.queue.onSubmittedWorkDone();
        },
      },
      { rounds },
    );
    const gigaflops = gigaflopsOf(stepSize(shape).ownFlops, timed.medianMs.own);
    return {
      ...row,
      ...timed,
      gigaflops,
      counts: { ...row.counts, tfjs: tfjsWarm.counts, jax: jaxWarm.counts },
    };
  } finally {
    await own.dispose();
    tfjs.dispose();
    jax.dispose();
    device.close();
  }
}

async function takeLosses(run: OwnRun, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await run.step()).loss);
  return losses;
}

/** One step more than is needed to have seen everything, and what that one asked. */
async function warm(peer: PeerStep, device: GPUDevice | null) {
  const losses = [await peer.step()];
  const moments = await peer.firstMoments();
  for (let step = 1; step < WARM_STEPS; step++) losses.push(await peer.step());
  const before = gpuCounts();
  const startMs = performance.now();
  losses.push(await peer.step());
  const wallMs = performance.now() - startMs;
  const asked = difference(gpuCounts(), before);
  const counts = sideCounts(asked, storageBuffers(device).peakBytes, wallMs - asked.waitedMs);
  return { losses, moments, counts };
}

function checkLoss(own: number, other: number, where: string): void {
  if (Math.abs(own - other) <= LOSS_TOLERANCE) return;
  throw new Error(`The losses part: ${own} and ${other} (${where}).`);
}

/** After the first step the first moment is the gradient, clipped and in small. */
function checkGradients(
  own: Readonly<Record<string, Float32Array>>,
  peer: { readonly name: string; readonly moments: ReadonlyMap<string, Float32Array> },
): void {
  if (peer.moments.size === 0) throw new Error(`${peer.name} has no gradients.`);
  for (const [name, theirs] of peer.moments) {
    const ours = own[`${name}.exp_avg`];
    if (ours?.length !== theirs.length) throw new Error(`${name}: ${ours?.length ?? "no"} values of ours.`);
    const largest = ours.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = ours.reduce(
      (most, value, index) => Math.max(most, Math.abs(value - (theirs[index] ?? NaN))),
      0,
    );
    if (largest > 0 && worst <= GRADIENT_TOLERANCE * largest) continue;
    throw new Error(`${name}: gradients differ by ${worst} of ${largest} (${peer.name}).`);
  }
}
