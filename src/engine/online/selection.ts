/** Which prompts a round draws anew. */
import { createRandom, permutation } from "../data/random.ts";
import type { RunConfig } from "../training/config.ts";
import type { ScoredPair } from "./roundRecord.ts";

/** What is left of a product such as 0.07 · 100 above the whole number that is meant. */
const ROUNDING = 1e-9;
/** First number of the streams of random numbers that select, apart from those of batches and adapters. */
const SELECTION_STREAM = 1_000_000;

/** What a stored pair is ranked by, in the judges' units. Source: arXiv 2406.07657; the mean is our reading. */
export function rankingKeyOf(
  { chosenScore, rejectedScore }: Pick<ScoredPair, "chosenScore" | "rejectedScore">,
  key: RunConfig["rankingKey"],
): number {
  if (key === "best") return chosenScore;
  if (key === "worst") return rejectedScore;
  return key === "gap" ? chosenScore - rejectedScore : (chosenScore + rejectedScore) / 2;
}

/**
 * The key of every prompt, less its baseline where there are baselines. A prompt without a pair has the lowest key there
 * is: it has nothing to train on, so it is drawn before all others.
 */
export function promptKeys(
  stored: readonly (Pick<ScoredPair, "chosenScore" | "rejectedScore"> | null)[],
  { rankingKey, baselines }: Pick<RunConfig, "rankingKey"> & { baselines: readonly (number | null)[] | null },
): number[] {
  return stored.map((pair, prompt) =>
    pair === null ? -Infinity : rankingKeyOf(pair, rankingKey) - (baselines?.[prompt] ?? 0),
  );
}

/** Places of the prompts by their keys, the lowest first; of equal keys the lower place. */
export function rankedPrompts(keys: readonly number[]): number[] {
  return [...keys.keys()].sort((a, b) => {
    const [first, second] = [keys[a] ?? NaN, keys[b] ?? NaN];
    return first === second ? a - b : first - second;
  });
}

/** Places of the ⌈share · prompts⌉ prompts that a round draws anew, in ascending order. */
export function promptsToDraw(
  keys: readonly number[],
  { selection, regeneratedShare, seed }: Pick<RunConfig, "selection" | "regeneratedShare" | "seed">,
  round: number,
): number[] {
  const count = Math.ceil(regeneratedShare * keys.length - ROUNDING);
  const order =
    selection === "random"
      ? [...permutation(keys.length, createRandom(seed, SELECTION_STREAM + round))]
      : rankedPrompts(keys);
  return order.slice(0, Math.max(0, count)).sort((a, b) => a - b);
}
