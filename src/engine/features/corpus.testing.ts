/** Corpora written out by hand, for tests. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { EncodedPairs, FeatureCorpus } from "./encodePairs.ts";
import { createRowCollector } from "./sparseRows.ts";
import type { TokenDecoder } from "./tokenTexts.ts";

/** A pair of these tokens. */
export function pairOf(
  prompt: readonly number[],
  chosen: readonly number[],
  rejected: readonly number[],
): TokenPair {
  const ids = { prompt, chosen, rejected };
  const [a, b, c] = Object.values(ids).map((list) => Int32Array.from(list)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return { prompt: a, chosen: b, rejected: c, row: 0 };
}

/** Encoded pairs with these activations, a list for each row of prompt, chosen and rejected answer of every pair. */
export function encodedOf(
  rows: readonly (readonly number[])[],
  numbers: Partial<EncodedPairs> = {},
): EncodedPairs {
  const collector = createRowCollector(rows[0]?.length ?? 0);
  for (const row of rows) collector.add(row);
  return { rows: collector.finish(), l0: 1, unexplained: null, ...numbers };
}

/** A corpus whose start of text is token 1. */
export function corpusOf(
  pairs: readonly TokenPair[],
  before: EncodedPairs,
  after: EncodedPairs | null = null,
): FeatureCorpus {
  return { pairs, startToken: 1, before, after };
}

/** A decoder over a list of words; ids beyond it have no text. */
export function decoderOf(words: readonly string[]): TokenDecoder {
  return { decodeTokens: (ids) => ids.map((id) => words[id] ?? "") };
}
