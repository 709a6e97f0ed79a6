/** What a run will cost, from its configuration and the shape of its data alone. */
import { withoutStanding } from "../adapters/standing.ts";
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { lmHeadLogProbs } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { countParameters, modelBytes, referenceWeights } from "../models/weights.ts";
import type { Plan } from "../tensor/planning.ts";
import { dispose, plan, zeros } from "../tensor/run.ts";
import { heldoutBatches, largestBatches, rowCount, stepPairs, type StepBatch } from "./batches.ts";
import type { RunConfig } from "./config.ts";
import { paddedSize, uploadBatch } from "./deviceBatch.ts";
import { backward, forward, inputsFor } from "./gradients.ts";
import { openWalk } from "./layerWalk.ts";
import { adamwDefaults, createOptimizer } from "./optimizer.ts";
import { measuresNothing, referenceBytes, type Measures } from "./measures.ts";
import { atOnce } from "./parts.ts";
import { countTrainable, createPolicy, trainingWeights } from "./policy.ts";
import { headInputs, tappedStates } from "./scoring.ts";
import type { StepKeeps } from "./stepMemory.ts";
import { evaluationPool, restoreRows } from "./unexplained.ts";

/** Bytes by part, and the counts behind them. */
export interface RunEstimate {
  readonly trainableParameters: number;
  readonly baseParameters: number;
  readonly effectiveBatchPairs: number;
  /** Forward passes over a batch per optimizer step: one more where layers are computed again, and for a live reference. */
  readonly forwardPassesPerStep: number;
  /** What is kept of the layers of the largest batch. */
  readonly keeps: StepKeeps;
  /** Rows of a mean batch, as it is laid out and with a prompt of its own for every answer. */
  readonly rowsPerBatch: number;
  readonly rowsPerBatchUnshared: number;
  /** Dispatches of the largest micro-batch, forward and backward. */
  readonly dispatchesPerBatch: number;
  readonly referenceBytes: number;
  /** Of these, those of a mean training pair; 0 where the reference runs within every step. */
  readonly referenceBytesPerPair: number;
  readonly memoryBytes: Readonly<Record<"weights" | "adapter" | "activations" | "evaluation", number>>;
}

const BYTES_PER_NUMBER = 4;
/** A recorded dispatch keeps a block of uniforms. */
const UNIFORM_BYTES = 256;
/** Token, position, two ranges of keys and two of queries, and two scored entries of each row of a batch. */
const TABLE_NUMBERS_PER_ROW = 12;
/** Row and label of each scored token. */
const TABLE_NUMBERS_PER_ENTRY = 2;
/** Parameter, gradient and two moments. */
const COPIES_PER_TRAINED = 4;

/** Estimates a run by planning its largest micro-batches and its largest evaluated batch. */
export function estimateRun(
  model: Model,
  config: RunConfig,
  data: {
    readonly train: readonly TokenPair[];
    readonly heldout: readonly TokenPair[];
    /** Of the remembered features of a mean answer; a guess where it is not known. */
    readonly featureBytes?: number | null;
  },
  measures: Measures = measuresNothing,
): RunEstimate {
  const trainableParameters = countTrainable(model, config);
  const adapterBytes = BYTES_PER_NUMBER * COPIES_PER_TRAINED * trainableParameters;
  const remembered = referenceBytes(config, measures, { ...data, hiddenSize: model.config.hiddenSize });
  const batches = largestBatches(model.config, config, { pairsOf: stepPairs(config, data.train) });
  const plans = batches.map((batch) => planStep(model, config, batch, { measures }));
  const { keeps = "everything" } = batches[0] ?? {};
  const passes = (keeps === "everything" ? 1 : 2) + (measures.isReferenceLive ? 1 : 0);
  const stepBytes = plans.map(({ bytes, dispatches }) => bytes + UNIFORM_BYTES * dispatches);
  const meanRows = (sharesPrompts: boolean) =>
    (config.batchPairs / Math.max(1, data.train.length)) *
    data.train.reduce((sum, pair) => sum + rowCount(pair, { sharesPrompts }), 0);
  return {
    trainableParameters,
    baseParameters: countParameters(model),
    effectiveBatchPairs: config.batchPairs * config.accumulationSteps,
    forwardPassesPerStep: passes * config.accumulationSteps,
    keeps,
    rowsPerBatch: meanRows(config.sharesPrompts),
    rowsPerBatchUnshared: meanRows(false),
    dispatchesPerBatch: plans[0]?.dispatches ?? 0,
    referenceBytes: remembered.total,
    referenceBytesPerPair: remembered.perPair,
    memoryBytes: {
      weights: modelBytes(model) + standingBytes(model, trainableParameters) + autoencoderBytes(measures),
      adapter: adapterBytes,
      activations: Math.max(...stepBytes) - adapterBytes,
      evaluation:
        evaluatorBytes(model, config, data.heldout, measures) +
        scoringBytes(model, config, data.heldout, measures),
    },
  };
}

/** What a planned step measures, and how far it goes. */
interface PlannedStep {
  readonly measures?: Measures;
  readonly isForwardAlone?: boolean;
}

/** One micro-batch with its policy and optimizer; without the way back if only the forward pass is asked for. */
export function planStep(model: Model, config: RunConfig, batch: StepBatch, step: PlannedStep): Plan {
  return plan(() => takeStep(model, config, batch, step));
}

/** Bytes of a model that `open` makes without contents, and of one step of a run on it. */
export function planModelStep(open: () => Model, config: RunConfig, batch: StepBatch): number {
  const { bytes, dispatches } = plan(() => takeStep(open(), config, batch, {}));
  return bytes + UNIFORM_BYTES * dispatches;
}

function takeStep(
  model: Model,
  config: RunConfig,
  { flat, keeps }: StepBatch,
  { measures = measuresNothing, isForwardAlone = false }: PlannedStep,
): void {
  // Its first values cost nothing.
  const policy = createPolicy(withoutStanding(model), config);
  const { gradients } = createOptimizer(policy.parameters, { ...adamwDefaults, ...config });
  const batch = uploadBatch(flat, distinctWindows(model.config), paddedSize(flat));
  const sink = { flat: gradients, trainables: policy.trainables };
  const pass = { model, weights: trainingWeights(policy, config, config.seed), keeps, sink, measures };
  const walk = openWalk(pass, batch.rows);
  const inputs = inputsFor(pass, batch);
  const head = atOnce(forward(pass, walk, batch, inputs));
  if (isForwardAlone) return;
  atOnce(backward(pass, walk, { ...head, upstream: zeros(head.statistics.shape) }, inputs));
}

/** Bytes that scoring the largest evaluated batch takes for a while. */
function scoringBytes(
  model: Model,
  config: RunConfig,
  heldout: readonly TokenPair[],
  { evaluationTap: tap }: Measures,
): number {
  const batches = heldoutBatches(config, heldout.slice(0, config.evalPairs)).map((pairs) => pairBatch(pairs));
  const longest = Math.max(0, ...batches.map(({ tokenIds }) => tokenIds.length));
  const flat = batches.find(({ tokenIds }) => tokenIds.length === longest);
  if (flat === undefined) return 0;
  const weights = referenceWeights(model);
  return plan(() => {
    const batch = uploadBatch(flat, distinctWindows(model.config));
    const pool = tap === null ? null : evaluationPool(tap, batch);
    const { hidden, streams } = atOnce(tappedStates(model, weights, batch, pool));
    lmHeadLogProbs(headInputs(model, weights, { hidden, labels: batch.labels }));
    for (const sae of tap?.saes ?? []) {
      const stream = streams.get(sae.layer);
      if (stream === undefined || sae.decoder === null) continue;
      dispose(restoreRows(sae, stream, { rows: flat.scoredRows, scored: batch.scored }).tensors);
    }
  }).bytes;
}

/** What adapters that stand on the model hold, and the copy of them that a run is compared with. */
function standingBytes({ standing }: Model, trainableParameters: number): number {
  if (standing === undefined) return 0;
  const own = [...standing.sum.values()].reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  return BYTES_PER_NUMBER * (own + trainableParameters);
}

/** What the autoencoders of a run hold on the device. */
function autoencoderBytes({ evaluationTap }: Measures): number {
  const numbers = (evaluationTap?.saes ?? []).map(({ inputSize, width, decoder }) => {
    const back = decoder === null ? 0 : width * inputSize + inputSize;
    return width * inputSize + 2 * width + back;
  });
  return BYTES_PER_NUMBER * numbers.reduce((sum, count) => sum + count, 0);
}

/** What an evaluator keeps between evaluations: its batches, and the reference's hidden states that the KL needs. */
export function evaluatorBytes(
  model: Model,
  config: RunConfig,
  heldout: readonly TokenPair[],
  { evaluationTap }: Pick<Measures, "evaluationTap">,
): number {
  const used = heldout.slice(0, config.evalPairs);
  const entries = used.reduce((sum, { chosen, rejected }) => sum + chosen.length + rejected.length, 0);
  const rows = entries + used.reduce((sum, { prompt }) => sum + prompt.length, 0);
  // Full fine-tuning measures no KL.
  const hiddenSize = config.tuning === "lora" ? model.config.hiddenSize : 0;
  // Pooling reads the row of each entry, and where the entries of both answers of a pair begin and end.
  const pooling = evaluationTap === null ? 0 : entries + 2 * 2 * used.length;
  const tables = rows * TABLE_NUMBERS_PER_ROW + entries * TABLE_NUMBERS_PER_ENTRY + pooling;
  return BYTES_PER_NUMBER * (tables + entries * hiddenSize);
}
