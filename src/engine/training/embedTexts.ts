/** Vectors of whole texts, by which texts that say much the same are told. */
import { flatBatch, type ScoredSequence } from "../data/batch.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights } from "../models/weights.ts";
import { read, trimMemory } from "../tensor/run.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { yielding } from "./parts.ts";
import { scoredStates } from "./scoring.ts";

/** Rows that run through the layers together, unless one text alone has more. */
const ROWS_AT_ONCE = 1024;

/** A text with its place among those that were asked for. */
interface Placed {
  readonly index: number;
  readonly sequence: ScoredSequence;
}

/**
 * The mean of the final hidden states over the tokens of every text, under the untouched model: [hiddenSize] each, zeros
 * for a text without tokens. What is beyond the model's longest position is not read. Yields to other tasks.
 */
export async function embedTexts(model: Model, texts: readonly Int32Array[]): Promise<Float32Array[]> {
  const { hiddenSize, maxPositions } = model.config;
  const means = texts.map((): Float32Array => new Float32Array(hiddenSize));
  const written = texts.flatMap((text, index) =>
    text.length === 0 ? [] : [{ index, sequence: wholly(text.subarray(0, maxPositions - 1)) }],
  );
  for (const some of together(written)) {
    const found = await meansOf(model, some);
    some.forEach(({ index }, place) => {
      means[index] = found[place] ?? new Float32Array(hiddenSize);
    });
  }
  trimMemory();
  return means;
}

/** A text of which every token counts: each predicts the next one, and the last one a token that is not read. */
function wholly(text: Int32Array): ScoredSequence {
  return { tokens: Int32Array.from([...text, 0]), scoredFrom: 1 };
}

/** Texts in their order, as many together as fit. */
function together(texts: readonly Placed[]): Placed[][] {
  const groups: Placed[][] = [];
  let rows = ROWS_AT_ONCE;
  for (const text of texts) {
    const own = text.sequence.tokens.length;
    rows += own;
    if (rows > ROWS_AT_ONCE) {
      groups.push([]);
      rows = own;
    }
    groups.at(-1)?.push(text);
  }
  return groups;
}

async function meansOf(model: Model, texts: readonly Placed[]): Promise<Float32Array[]> {
  const { hiddenSize } = model.config;
  const sequences = texts.map(({ sequence }) => sequence);
  const batch = uploadBatch(flatBatch(sequences), distinctWindows(model.config));
  try {
    const states = await yielding(scoredStates(model, referenceWeights(model), batch)); // [entries, hidden]
    const values = await read(states);
    states.dispose();
    const means = sequences.map(() => new Float32Array(hiddenSize));
    batch.flat.entrySequence.forEach((sequence, entry) => {
      const count = (sequences[sequence]?.tokens.length ?? 2) - 1;
      means[sequence]?.forEach((sum, at, mean) => {
        mean[at] = sum + (values[entry * hiddenSize + at] ?? 0) / count;
      });
    });
    return means;
  } finally {
    batch.dispose();
  }
}
