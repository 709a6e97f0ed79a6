/** Which pairs every step of a run reads. */
import { batchOrder, pairBatch, type FlatBatch } from "../data/batch.ts";
import { promptOf, type TokenPair } from "../data/tokenPair.ts";
import type { ModelConfig } from "../models/config.ts";
import type { RunConfig } from "./config.ts";
import { keepsOf, type StepKeeps } from "./stepMemory.ts";

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
export function microBatches(
  { batchPairs }: Pick<RunConfig, "batchPairs">,
  pairs: readonly TokenPair[],
): TokenPair[][] {
  const count = Math.ceil(pairs.length / batchPairs);
  return Array.from({ length: count }, (_, index) =>
    pairs.slice(index * batchPairs, (index + 1) * batchPairs),
  );
}

/**
 * Held-out pairs, batch by batch. A last one that would be alone joins the batch before it: objectives that compare the
 * pairs of a batch have nothing to compare it with.
 */
export function heldoutBatches(
  { batchPairs }: Pick<RunConfig, "batchPairs">,
  pairs: readonly TokenPair[],
): TokenPair[][] {
  const batches = microBatches({ batchPairs }, pairs);
  const [before, last] = batches.slice(-2);
  if (batchPairs === 1 || before === undefined || last?.length !== 1) return batches;
  return [...batches.slice(0, -2), [...before, ...last]];
}

/** A micro-batch, and what is kept of its layers. */
export interface StepBatch {
  readonly flat: FlatBatch;
  readonly keeps: StepKeeps;
}

/**
 * The micro-batches from one step to another that no other one needs more room than, the one with the most rows first. They are
 * two where layers of the largest batches are computed again: a smaller one that keeps them whole can need more.
 */
export function largestBatches(
  model: ModelConfig,
  config: RunConfig,
  {
    pairsOf,
    firstStep = 1,
    lastStep = config.steps,
  }: {
    readonly pairsOf: (step: number) => readonly TokenPair[];
    readonly firstStep?: number;
    readonly lastStep?: number;
  },
): StepBatch[] {
  const found = new Map<StepKeeps, { readonly rows: number; readonly pairs: readonly TokenPair[] }>();
  for (let step = firstStep; step <= lastStep; step++) {
    for (const pairs of microBatches(config, pairsOf(step))) {
      const rows = pairs.reduce((sum, pair) => sum + rowCount(pair, config), 0);
      const keeps = keepsOf(model, config, rows);
      if (rows > (found.get(keeps)?.rows ?? 0)) found.set(keeps, { rows, pairs });
    }
  }
  const largestFirst = [...found].sort(([, a], [, b]) => b.rows - a.rows);
  return largestFirst.map(([keeps, { pairs }]) => ({ flat: pairBatch(pairs, config), keeps }));
}

/** Rows that a pair takes in a batch. */
export function rowCount(pair: TokenPair, { sharesPrompts }: Pick<RunConfig, "sharesPrompts">): number {
  const { prompt, chosen, rejected, rejectedPrompt } = pair;
  const isOneCopy = rejected.length === 0 || (sharesPrompts && rejectedPrompt === undefined);
  const prompts = prompt.length + (isOneCopy ? 0 : promptOf(pair, "rejected").length);
  return prompts + chosen.length + rejected.length;
}
