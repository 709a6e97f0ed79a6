/** Steps in a row over the same pairs, compared with the same reference: a whole run, or a round of an online one. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Model } from "../models/decoder.ts";
import type { ReferenceCache } from "../reference/referenceCache.ts";
import { stepPairs } from "./batches.ts";
import type { RunConfig } from "./config.ts";

/** A stretch of steps, counted from 1 through the whole run. */
export interface Stretch {
  readonly model: Model;
  readonly reference: ReferenceCache;
  readonly pairs: readonly TokenPair[];
  readonly pairsOf: (step: number) => readonly TokenPair[];
  readonly firstStep: number;
  readonly lastStep: number;
}

/** Steps that read `pairs` in the configuration's order. */
export function stretchOf(
  config: RunConfig,
  pairs: readonly TokenPair[],
  of: Omit<Stretch, "pairs" | "pairsOf">,
): Stretch {
  const { model, reference, firstStep, lastStep } = of;
  return { model, reference, pairs, firstStep, lastStep, pairsOf: stepPairs(config, pairs) };
}

/** The distinct pairs that a stretch meets. */
export function pairsOfStretch({ pairs, pairsOf, firstStep, lastStep }: Stretch): TokenPair[] {
  const used = new Set<TokenPair>();
  for (let step = firstStep; step <= lastStep && used.size < pairs.length; step++) {
    for (const pair of pairsOf(step)) used.add(pair);
  }
  return [...used];
}

/** Tokens of both sequences of every pair. */
export function countTokens(pairs: readonly TokenPair[]): number {
  return pairs.reduce(
    (sum, { prompt, chosen, rejected }) => sum + 2 * prompt.length + chosen.length + rejected.length,
    0,
  );
}
