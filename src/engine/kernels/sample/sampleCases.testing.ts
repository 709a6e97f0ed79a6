/** Logits that are drawn from often enough to count, for the oracle and for the shader. */
import type { TestInput } from "../../tensor/testing.ts";
import type { SampleAttributes } from "./sampleAttributes.ts";

/** Attributes that change nothing. */
export const plain: SampleAttributes = {
  temperature: 1,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  softCap: 0,
  seed: 11,
  step: 5,
};

export const DRAWS = 10_000;

/** Eleven tokens, of which one cannot be drawn, two are equal, and others nearly so. */
export const logits = [2, -1, 0.5, 3, -4, 1, 0, 2.5, -Infinity, 1, 2.499];

/** What is drawn, and the ids that may be: the survivors by hand, from the order 3, 7, 10, 0, 5, 9, 2, 6, 1, 4. */
export const distributions: readonly {
  readonly change: Partial<SampleAttributes>;
  readonly ids: number[];
}[] = [
  { change: {}, ids: [0, 1, 2, 3, 4, 5, 6, 7, 9, 10] },
  { change: { temperature: 0.7 }, ids: [0, 1, 2, 3, 4, 5, 6, 7, 9, 10] },
  { change: { temperature: 2 }, ids: [0, 1, 2, 3, 4, 5, 6, 7, 9, 10] },
  { change: { topK: 4 }, ids: [0, 3, 7, 10] },
  // Of the equal tokens 5 and 9 the lower one stays.
  { change: { topK: 5, temperature: 1.5 }, ids: [0, 3, 5, 7, 10] },
  // Shares at temperature 1: 0.333, 0.202, 0.202, 0.123, 0.045, ...: 0.737 before token 0, 0.860 with it.
  { change: { topP: 0.8 }, ids: [0, 3, 7, 10] },
  { change: { topP: 0.3 }, ids: [3] },
  // Of what top-k leaves, token 0 has 0.143: the others have 0.857.
  { change: { topK: 4, topP: 0.85 }, ids: [3, 7, 10] },
];

/**
 * Nine equal tokens of 2^31 units each. This share of them is two tokens and half a unit, because
 * 9 · 954437177 = 2^33 + 1: two are not enough.
 */
export const oneUnitMore = { topP: 954437177 / 2 ** 32, equal: [1, 1, 1, 1, 1, 1, 1, 1, 1] };

/** Rows of the same logits, each with a stream of its own, as the operation takes them. */
export function rowsOf(values: readonly number[], rows: number): TestInput[] {
  const shape = [rows, values.length];
  return [
    {
      values: Float32Array.from({ length: rows * values.length }, (_, i) => values[i % values.length]!),
      shape,
    },
    { values: Int32Array.from({ length: rows }, (_, row) => row), shape: [rows] },
    { values: new Int32Array(rows), shape: [rows] },
  ];
}
