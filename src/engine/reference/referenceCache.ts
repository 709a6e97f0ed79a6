/** What is remembered of the reference policy: two summed log-probs a pair, computed once with the adapters off. */
import type { TokenPair } from "../data/tokenPair.ts";
import { fingerprint } from "./fingerprint.ts";

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

/** Log-probs that come along with an embedded preference set, so that its first run starts at once. */
export interface ShippedReference {
  /** Fingerprint of the weights they belong to. */
  readonly weights: string;
  /** [chosen, rejected] by the pair's key; a changed tokenizer, template or terminator makes other keys. */
  readonly logps: Readonly<Record<string, readonly [number, number]>>;
}

/**
 * A cache with what was shipped for these weights, or an empty one. Keys are the pair's token ids, so re-reading the
 * same data keeps what is known.
 */
export function createReferenceCache(shipped?: ShippedReference, weights?: string): ReferenceCache {
  const known = new Map<string, ReferenceLogps>();
  if (shipped !== undefined && shipped.weights === weights) {
    for (const [key, [chosen, rejected]] of Object.entries(shipped.logps))
      known.set(key, { chosen, rejected });
  }
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

/** The key of a pair: a fingerprint of its token ids and where its parts begin. */
export function pairKey({ prompt, chosen, rejected }: TokenPair): string {
  const ids = [prompt.length, ...prompt, chosen.length, ...chosen, ...rejected];
  return fingerprint(new Uint8Array(Int32Array.from(ids).buffer));
}
