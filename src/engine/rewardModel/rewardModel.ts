/**
 * A reward model: low-rank adapters on a base model and one vector, whose product with the hidden state at a text's last token
 * is the text's reward. It is TRL's `RewardTrainer` on a model with one label: no bias, the state after the last norm.
 */
import { placeAdapters } from "../adapters/lora.ts";
import { withoutStanding } from "../adapters/standing.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import type { HostAdapter } from "../models/hostAdapter.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import { read, trimMemory } from "../tensor/run.ts";
import { paddedSize, uploadBatch } from "../training/deviceBatch.ts";
import { yielding } from "../training/parts.ts";
import { scoredStates } from "../training/scoring.ts";
import { endBatch, inRuns, type AnsweredPrompt } from "./endBatch.ts";
import { rewardsOf } from "./rewards.ts";

/** A reward model on the host. */
export interface RewardModel {
  /** By the decoder's module names; each adds alpha / rank · (x Aᵀ) Bᵀ. */
  readonly adapter: ReadonlyMap<string, HostAdapter>;
  readonly alpha: number;
  readonly rank: number;
  /** [hidden] */
  readonly head: Float32Array;
}

/** A text to be scored: an answer with its terminator, as training has it, behind its prompt. */
export interface RewardText {
  readonly prompt: Int32Array;
  readonly answer: Int32Array;
}

/** A reward model on the device, on top of its base; the base itself belongs to whoever loaded it. */
export interface PlacedRewardModel {
  /**
   * One reward per text, in order; batch-mates and padding change nothing. Throws `RangeError` for a text without tokens and for one
   * that is longer than the model reads.
   */
  readonly score: (texts: readonly RewardText[]) => Promise<Float64Array>;
  readonly dispose: () => void;
}

/** Rows that are run at once. */
const MOST_ROWS = 2048;

/**
 * Puts a reward model's adapters on the device, on the bare model: adapters that stand on it belong to policies and do not change
 * a reward. Throws `RangeError` for a head of another width than the model's.
 */
export function placeRewardModel(model: Model, reward: RewardModel): PlacedRewardModel {
  const { hiddenSize } = model.config;
  if (reward.head.length !== hiddenSize)
    throw new RangeError(
      `The reward model's head has ${reward.head.length} numbers, the model's states have ${hiddenSize}: it belongs to another model.`,
    );
  const bare = withoutStanding(model);
  const { modules, groups, parameters } = placeAdapters(bare, reward.adapter, reward.alpha / reward.rank);
  const weights = { ...referenceWeights(bare), adapters: modules, groupAdapters: groups };
  return {
    score: (texts) => scoreTexts({ model: bare, weights, head: reward.head }, texts),
    dispose: parameters.dispose,
  };
}

interface Scorer {
  readonly model: Model;
  readonly weights: Weights;
  readonly head: Float32Array;
}

async function scoreTexts(scorer: Scorer, texts: readonly RewardText[]): Promise<Float64Array> {
  checkLengths(texts, scorer.model.config.maxPositions);
  const rewards = new Float64Array(texts.length);
  const prompts = texts.map(({ prompt, answer }) => [{ prompt, answers: [answer] }]);
  let scored = 0;
  for (const run of inRuns(prompts, MOST_ROWS)) {
    rewards.set(await scoreRun(scorer, run), scored);
    scored += run.length;
  }
  // Batches differ in length: the buffers of each would wait for one of its own size.
  trimMemory();
  return rewards;
}

async function scoreRun(
  { model, weights, head }: Scorer,
  texts: readonly AnsweredPrompt[],
): Promise<Float64Array> {
  const flat = endBatch(texts);
  const batch = uploadBatch(flat, distinctWindows(model.config), paddedSize(flat));
  try {
    const states = await yielding(scoredStates(model, weights, batch));
    try {
      return rewardsOf(await read(states), head, texts.length);
    } finally {
      states.dispose();
    }
  } finally {
    batch.dispose();
  }
}

function checkLengths(texts: readonly RewardText[], maxPositions: number): void {
  for (const [index, { prompt, answer }] of texts.entries()) {
    const length = prompt.length + answer.length;
    if (length > maxPositions)
      throw new RangeError(
        `Text ${index + 1} has ${length} tokens with its answer, and the model reads ${maxPositions}: shorten it.`,
      );
  }
}
