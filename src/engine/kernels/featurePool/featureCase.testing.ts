/** Streams and encoders whose sums are exact in 32 bits, so that no rounding decides whether a feature is active. */
import { randomSource, randomValues, type TestInput } from "../../tensor/testing.ts";

/** Values are multiples of this; products of two are multiples of its square. */
const GRAIN = 1 / 8;
/** Lies between two multiples of the square of the grain. */
const OFF_GRID = 1 / 128;

/** Sizes of a case. */
export interface FeatureCase {
  readonly rows: number;
  readonly inputSize: number;
  readonly width: number;
  /** Entries of each answer, laid one after another. */
  readonly answers: readonly number[];
  /** Features of each answer's list, for the way back. */
  readonly listed?: number;
}

/** Normally distributed values, rounded to the grain. */
function grained(seed: number, shape: readonly number[]): TestInput {
  return { values: randomValues(seed, shape).map((value) => Math.round(value / GRAIN) * GRAIN), shape };
}

function encoderInputs({ width, inputSize }: FeatureCase): TestInput[] {
  const threshold = randomValues(4, [width]).map(
    (value, i) => (i % 3 === 0 ? 0 : Math.round(Math.abs(value) / GRAIN ** 2) * GRAIN ** 2) + OFF_GRID,
  );
  return [grained(2, [width, inputSize]), grained(3, [width]), { values: threshold, shape: [width] }];
}

/** Inputs of `featurePoolOp`; every seventh entry is not pooled. */
export function poolInputs(size: FeatureCase): TestInput[] {
  const { rows, inputSize, answers } = size;
  const random = randomSource(5);
  const entries = answers.reduce((sum, count) => sum + count, 0);
  const scoredRows = Int32Array.from({ length: entries }, (_, entry) =>
    entry % 7 === 6 ? -1 : Math.floor(random() * rows),
  );
  let next = 0;
  const entryRanges = answers.flatMap((count) => [next, (next += count)]);
  return [
    grained(1, [rows, inputSize]),
    { values: scoredRows, shape: [entries] },
    { values: Int32Array.from(entryRanges), shape: [answers.length, 2] },
    ...encoderInputs(size),
  ];
}

/** Inputs of `featurePoolGradientOp`: rows of no, one and two answers; lists with holes and with zeros. */
export function gradientInputs(size: FeatureCase): TestInput[] {
  const { rows, inputSize, width, answers, listed = 1 } = size;
  const random = randomSource(6);
  const rowAnswers = Int32Array.from(
    { length: 2 * rows },
    () => Math.floor(random() * (answers.length + 1)) - 1,
  );
  const count = answers.length * listed;
  const indices = Int32Array.from({ length: count }, (_, place) =>
    place % 5 === 4 ? -1 : Math.floor(random() * width),
  );
  const coefficients = randomValues(7, [count]).map((value, place) => (place % 3 === 2 ? 0 : value));
  return [
    { values: randomValues(8, [rows, inputSize]), shape: [rows, inputSize] },
    grained(1, [rows, inputSize]),
    { values: rowAnswers, shape: [rows, 2] },
    { values: indices, shape: [answers.length, listed] },
    { values: coefficients, shape: [answers.length, listed] },
    ...encoderInputs(size),
  ];
}
