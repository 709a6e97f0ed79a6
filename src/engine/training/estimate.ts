/** What a run will cost, from its configuration and the shape of its data alone. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Model } from "../models/decoder.ts";
import { countParameters } from "../models/weights.ts";
import type { RunConfig } from "./config.ts";
import { countTrainable } from "./policy.ts";
import { referenceBytes } from "./train.ts";

/** Bytes by part, and the counts behind them. */
export interface RunEstimate {
  readonly trainableParameters: number;
  readonly baseParameters: number;
  readonly effectiveBatchPairs: number;
  /** Forward passes over a batch per optimizer step: one with checkpoints, one recomputed in the backward pass. */
  readonly forwardPassesPerStep: number;
  readonly referenceBytes: number;
  readonly memoryBytes: Readonly<
    Record<"weights" | "adapter" | "activations" | "head" | "evaluation", number>
  >;
}

const BYTES_PER_NUMBER = 4;
/** Buffers come in size classes that can leave a fifth of them unused, and batches of several lengths fill several. */
const POOL_SLACK = 1.35;
/** Token, position, two ranges of keys and two of queries, and two scored entries of each row of a batch. */
const TABLE_NUMBERS_PER_ROW = 12;
/** Row and label of each scored token. */
const TABLE_NUMBERS_PER_ENTRY = 2;
/** Parameter, gradient and two moments. */
const COPIES_PER_TRAINED = 4;

/** Estimates a run; activations assume batches of mean length. */
export function estimateRun(
  model: Model,
  config: RunConfig,
  data: { readonly train: readonly TokenPair[]; readonly heldout: readonly TokenPair[] },
): RunEstimate {
  const { hiddenSize, layers } = model.config;
  const baseParameters = countParameters(model);
  const trainableParameters = countTrainable(model, config);
  const meanOf = (count: (pair: TokenPair) => number) =>
    data.train.reduce((sum, pair) => sum + count(pair), 0) / Math.max(1, data.train.length);
  const rows =
    config.batchPairs *
    meanOf(({ prompt, chosen, rejected }) => 2 * prompt.length + chosen.length + rejected.length);
  const entries = config.batchPairs * meanOf(({ chosen, rejected }) => chosen.length + rejected.length);
  const values = (layers + 1) * hiddenSize + layerValues(model, config);
  return {
    trainableParameters,
    baseParameters,
    effectiveBatchPairs: config.batchPairs * config.accumulationSteps,
    forwardPassesPerStep: 2 * config.accumulationSteps,
    referenceBytes: referenceBytes(config, data.train.length, data.heldout.length),
    memoryBytes: {
      weights: BYTES_PER_NUMBER * baseParameters,
      adapter: BYTES_PER_NUMBER * COPIES_PER_TRAINED * trainableParameters,
      activations: Math.round(BYTES_PER_NUMBER * rows * values * POOL_SLACK),
      head: Math.round(BYTES_PER_NUMBER * entries * 4 * hiddenSize),
      evaluation: evaluationBytes(model, config, data.heldout),
    },
  };
}

/**
 * Numbers per row of one layer's forward and backward pass, counted tensor by tensor: freed buffers are reused when the
 * layer's commands have been handed over, so all of them exist at once. Linears without an adapter count as with one.
 */
function layerValues({ config }: Model, { tuning, loraRank }: RunConfig): number {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headDim } = config;
  const query = heads * headDim;
  const keyValue = keyValueHeads * headDim;
  const rank = tuning === "lora" ? loraRank : 0;
  const forward = 6 * hiddenSize + 3 * query + 3 * keyValue + 3 * intermediateSize + 7 * rank;
  const backward = 24 * hiddenSize + 6 * query + 4 * keyValue + 6 * intermediateSize + 14 * rank;
  return forward + backward;
}

/** What an evaluator keeps between evaluations: its batches, and the reference's hidden states that the KL needs. */
function evaluationBytes(model: Model, config: RunConfig, heldout: readonly TokenPair[]): number {
  const used = heldout.slice(0, config.evalPairs);
  const entries = used.reduce((sum, { chosen, rejected }) => sum + chosen.length + rejected.length, 0);
  const rows = entries + used.reduce((sum, { prompt }) => sum + prompt.length, 0);
  // Full fine-tuning measures no KL.
  const hiddenSize = config.tuning === "lora" ? model.config.hiddenSize : 0;
  return BYTES_PER_NUMBER * (rows * TABLE_NUMBERS_PER_ROW + entries * (TABLE_NUMBERS_PER_ENTRY + hiddenSize));
}
