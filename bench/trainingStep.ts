/** What an optimizer step costs: counts, bytes, and what is created once everything has been seen. */
import { pairBatch } from "../src/engine/data/batch.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { openDevice } from "../src/engine/tensor/device.ts";
import { estimateRun } from "../src/engine/training/estimate.ts";
import { gpuCounts, restartStorage, storageBuffers, type GpuCounts } from "./gpuCounters.ts";
import { benchConfig, measureRun, type MeasuredStep, type PhaseDispatches } from "./measureRun.ts";
import { openRandom, type BenchModel } from "./models.ts";

/** Steps after which nothing new may be created. */
const WARM_STEPS = 2;
const VARYING_STEPS = 8;
/** Makes the vocabulary a width that no other buffer can have by chance. */
const MORE_TOKENS = 36;
const BYTES_PER_NUMBER = 4;

/** What a series of steps created after the first two, and how much more it held at the end. */
export interface Growth {
  readonly steps: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  readonly buffers: number;
  /** The last step that created anything; 0 when none did. */
  readonly lastStepThatCreated: number;
  readonly tensors: number;
  readonly storageBytes: number;
}

/** Dispatches of one step; those of a layer are what one layer more adds. */
export interface SplitDispatches {
  readonly all: number;
  readonly forwardPerLayer: number;
  /** Without recomputing, which is taken to be the whole forward pass of the layer. */
  readonly backwardPerLayer: number;
  /** Embedding and head. */
  readonly forwardRest: number;
  /** Embedding and head, less what the first layer saves because nothing below it trains. */
  readonly backwardRest: number;
  readonly optimizer: number;
}

/** Results of one model. */
export interface StepResult {
  readonly model: string;
  readonly layers: number;
  readonly rows: number;
  readonly entries: number;
  readonly dispatches: SplitDispatches;
  readonly dispatchesByName: Readonly<Record<string, number>>;
  readonly submits: number;
  readonly bufferWrites: number;
  readonly pipelinesPerModel: number;
  readonly steady: Growth;
  /** The same with other pairs in every step, as in a run; null where all batches have one shape. */
  readonly varying: Growth | null;
  readonly peakBytes: number;
  readonly estimatedBytes: number;
  readonly largestBufferBytes: number;
  readonly hasTokensTimesVocabulary: boolean;
}

/** Measures one model: `steps` steps on the same pairs, a few on changing ones, and one layer more for the split. */
export async function measureModel(bench: BenchModel, steps: number): Promise<StepResult> {
  const pairs = bench.pairs.slice(0, bench.batchPairs);
  const steady = await onFreshDevice(bench, pairs, { steps });
  const deeperConfig = { ...bench.config, layers: bench.config.layers + 1 };
  const deeper = await onFreshDevice(withRandom(bench, deeperConfig), pairs, { steps: 1 });
  const widerConfig = { ...bench.config, vocabularySize: bench.config.vocabularySize + MORE_TOKENS };
  const wider = await onFreshDevice(withRandom(bench, widerConfig), pairs, { steps: 1 });
  const varying =
    bench.pairs.length > bench.batchPairs
      ? await onFreshDevice(bench, bench.pairs, { steps: VARYING_STEPS })
      : null;
  const [last, deeperLast] = [lastOf(steady.steps), lastOf(deeper.steps)];
  const flat = pairBatch(pairs);
  const rows = flat.tokenIds.length;
  const entries = flat.labels.length;
  return {
    model: bench.name,
    layers: bench.config.layers,
    rows,
    entries,
    dispatches: split(last, deeperLast.phases, bench.config.layers),
    dispatchesByName: last.dispatchesByName,
    submits: last.counts.submits,
    bufferWrites: last.counts.bufferWrites,
    pipelinesPerModel: steady.pipelines,
    steady: growthOf(steady.steps),
    varying: varying === null ? null : growthOf(varying.steps),
    peakBytes: steady.peakBytes,
    estimatedBytes: steady.estimatedBytes,
    largestBufferBytes: Math.max(...steady.sizes),
    hasTokensTimesVocabulary: [rows, entries].some((tokens) =>
      wider.sizes.includes(BYTES_PER_NUMBER * tokens * widerConfig.vocabularySize),
    ),
  };
}

/** The same training on random weights of another shape. */
function withRandom(bench: BenchModel, config: BenchModel["config"]): BenchModel {
  return { ...bench, config, open: () => openRandom(config) };
}

async function onFreshDevice(bench: BenchModel, pairs: readonly TokenPair[], { steps }: { steps: number }) {
  restartStorage();
  const pipelinesBefore = gpuCounts().pipelinesCreated;
  const device = await openDevice({ backend: "webgpu" });
  const opened = bench.open();
  try {
    const config = benchConfig({ steps, batchPairs: bench.batchPairs });
    const data = { train: pairs.slice(0, bench.batchPairs), heldout: pairs.slice(0, config.evalPairs) };
    const { memoryBytes, referenceBytes } = estimateRun(opened.model, config, data);
    const measured = await measureRun({ model: opened.model, pairs, config });
    const { sizes, peakBytes } = storageBuffers();
    const estimatedBytes = Object.values(memoryBytes).reduce((sum, bytes) => sum + bytes, referenceBytes);
    const pipelines = gpuCounts().pipelinesCreated - pipelinesBefore;
    return { steps: measured, sizes, peakBytes, estimatedBytes, pipelines };
  } finally {
    opened.dispose();
    device.close();
  }
}

function split(step: MeasuredStep, deeper: PhaseDispatches, layers: number): SplitDispatches {
  const { phases } = step;
  const forwardPerLayer = deeper.forward - phases.forward;
  const backwardAndRecompute = deeper.backward - phases.backward;
  return {
    all: step.counts.dispatches,
    forwardPerLayer,
    backwardPerLayer: backwardAndRecompute - forwardPerLayer,
    forwardRest: phases.forward - layers * forwardPerLayer,
    backwardRest: phases.backward - layers * backwardAndRecompute,
    optimizer: phases.optimizer,
  };
}

function growthOf(steps: readonly MeasuredStep[]): Growth {
  const [warm, last] = [steps[WARM_STEPS - 1], lastOf(steps)];
  const later = steps.slice(WARM_STEPS);
  const sum = (pick: (step: MeasuredStep) => number) => later.reduce((total, step) => total + pick(step), 0);
  return {
    steps: later.length,
    bindGroups: sum(({ counts }) => counts.bindGroupsCreated),
    pipelines: sum(({ counts }) => counts.pipelinesCreated),
    buffers: sum(({ counts }) => counts.buffersCreated),
    lastStepThatCreated: 1 + steps.findLastIndex(({ counts }) => isCreating(counts)),
    tensors: last.tensors - (warm?.tensors ?? NaN),
    storageBytes: last.storageBytes - (warm?.storageBytes ?? NaN),
  };
}

function isCreating({ bindGroupsCreated, pipelinesCreated, buffersCreated }: GpuCounts): boolean {
  return bindGroupsCreated + pipelinesCreated + buffersCreated > 0;
}

function lastOf<T>(items: readonly T[]): T {
  const last = items.at(-1);
  if (last === undefined) throw new Error("Nothing was measured.");
  return last;
}
