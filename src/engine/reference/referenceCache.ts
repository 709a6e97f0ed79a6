/** What is remembered of the reference policy: two summed log-probs a pair, computed once with the adapters off. */
import type { TokenPair } from "../data/tokenPair.ts";

/** Summed log-probs of a pair's answers under the reference. */
export interface ReferenceLogps {
  readonly chosen: number;
  readonly rejected: number;
}

/** Bytes remembered per pair: two 32-bit numbers. */
export const referenceBytesPerPair = 8;

/** Remembered log-probs by pair; one cache belongs to one model. */
export interface ReferenceCache {
  readonly get: (pair: TokenPair) => ReferenceLogps | undefined;
  readonly set: (pair: TokenPair, logps: ReferenceLogps) => void;
  /** Pairs of the list that are not remembered yet, each once. */
  readonly missing: (pairs: readonly TokenPair[]) => TokenPair[];
}

/** An empty cache; keys are the pair's token ids, so re-reading the same data keeps what is known. */
export function createReferenceCache(): ReferenceCache {
  const known = new Map<string, ReferenceLogps>();
  return {
    get: (pair) => known.get(pairKey(pair)),
    set: (pair, logps) => {
      known.set(pairKey(pair), logps);
    },
    missing: (pairs) => {
      const wanted = new Map(pairs.map((pair) => [pairKey(pair), pair]));
      return [...wanted].filter(([key]) => !known.has(key)).map(([, pair]) => pair);
    },
  };
}

function pairKey(pair: TokenPair): string {
  return [pair.prompt, pair.chosen, pair.rejected].map((ids) => ids.join(",")).join("|");
}
