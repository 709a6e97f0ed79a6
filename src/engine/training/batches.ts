/** Which pairs every step of a run reads. */
import { batchOrder, pairBatch, type FlatBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { RunConfig } from "./config.ts";

/** The pairs of a step, counted from 1; they depend on nothing but the configuration. */
export function stepPairs(config: RunConfig, pairs: readonly TokenPair[]): (step: number) => TokenPair[] {
  const orderOf = batchOrder({
    count: pairs.length,
    batchPairs: config.batchPairs * config.accumulationSteps,
    seed: config.seed,
    shuffle: config.isShuffled,
  });
  return (step) => orderOf(step - 1).flatMap((index) => pairs[index] ?? []);
}

/** The pairs of a step, micro-batch by micro-batch. */
export function microBatches({ batchPairs }: RunConfig, pairs: readonly TokenPair[]): TokenPair[][] {
  const count = Math.ceil(pairs.length / batchPairs);
  return Array.from({ length: count }, (_, index) =>
    pairs.slice(index * batchPairs, (index + 1) * batchPairs),
  );
}

/** The micro-batch with the most rows from a step on. */
export function largestBatch(
  config: RunConfig,
  pairsOf: (step: number) => readonly TokenPair[],
  firstStep = 1,
): FlatBatch {
  let largest: { readonly rows: number; readonly pairs: readonly TokenPair[] } = { rows: 0, pairs: [] };
  for (let step = firstStep; step <= config.steps; step++) {
    for (const pairs of microBatches(config, pairsOf(step))) {
      const rows = pairs.reduce((sum, pair) => sum + rowCount(pair, config), 0);
      if (rows > largest.rows) largest = { rows, pairs };
    }
  }
  return pairBatch(largest.pairs, config);
}

/** Rows that a pair takes in a batch. */
export function rowCount(
  { prompt, chosen, rejected }: TokenPair,
  { sharesPrompts }: Pick<RunConfig, "sharesPrompts">,
): number {
  return (sharesPrompts ? 1 : 2) * prompt.length + chosen.length + rejected.length;
}
