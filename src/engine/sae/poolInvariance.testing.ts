/** An answer has the same features and the same gradient alone and beside others, on whichever backend is open. */
import { expect } from "vitest";
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { featurePoolOp, type FeatureAttrs } from "../kernels/featurePool/featurePool.ts";
import { featurePoolGradientOp } from "../kernels/featurePool/featurePoolGradient.ts";
import { dispose, read, run, tensor } from "../tensor/run.ts";
import { randomValues } from "../tensor/testing.ts";
import { featureError, gradientLists, longestList } from "./featureErrors.ts";
import { poolTables } from "./poolTables.ts";

const WIDTH = 203;
const TOKENS = 50;
const options = { mode: "paper", topK: 20 } as const;

/** Pairs of answers of many lengths, above and below the tiles of every text. */
const pairs: readonly TokenPair[] = [
  [1, 3, 70],
  [4, 33, 1],
  [2, 9, 40],
].map(([prompt = 0, chosen = 0, rejected = 0], row) => {
  const tokens = (seed: number, length: number) =>
    Int32Array.from(
      randomValues(10 * row + seed, [length]),
      (value) => Math.floor(Math.abs(value) * 997) % TOKENS,
    );
  return { row, prompt: tokens(1, prompt), chosen: tokens(2, chosen), rejected: tokens(3, rejected) };
});

/** Streams of rows depend on their token alone, so that every batch gives a row the same one. */
function streamOf(tokenIds: Int32Array, inputSize: number): Float32Array {
  const table = randomValues(4, [TOKENS, inputSize]);
  return Float32Array.from(
    { length: tokenIds.length * inputSize },
    (_, place) => table[tokenIds[Math.floor(place / inputSize)]! * inputSize + (place % inputSize)]!,
  );
}

/** Pooled features of every answer, and the gradient of every row, of a batch of these pairs. */
async function featuresOf(batchPairs: readonly TokenPair[], inputSize: number, isSerial: boolean) {
  const attrs: FeatureAttrs = { isVector: inputSize % 4 === 0, isSerial };
  const flat = pairBatch(batchPairs);
  const [rows, answers] = [flat.tokenIds.length, flat.sequences];
  const tables = poolTables(flat, 0);
  const hidden = tensor(streamOf(flat.tokenIds, inputSize), [rows, inputSize]);
  const encoder = [
    tensor(randomValues(5, [WIDTH, inputSize]), [WIDTH, inputSize]),
    tensor(randomValues(6, [WIDTH]), [WIDTH]),
    tensor(randomValues(7, [WIDTH]).map(Math.abs), [WIDTH]),
  ];
  const scoredRows = tensor(tables.scoredRows, [tables.scoredRows.length]);
  const entryRanges = tensor(tables.entryRanges, [answers, 2]);
  const outputs = run(featurePoolOp, [hidden, scoredRows, entryRanges, ...encoder], attrs);
  const [pooled = new Float32Array(), activity] = (await Promise.all(outputs.map(read))) as Float32Array[];
  const errors = Array.from({ length: answers }, (_, answer) => {
    const policy = pooled.slice(answer * WIDTH, (answer + 1) * WIDTH);
    const reference = policy.map((value, feature) => (value * ((feature * 7) % 5)) / 3);
    const tokens = tables.entryRanges[2 * answer + 1]! - tables.entryRanges[2 * answer]!;
    return featureError({ policy, reference, tokens }, options);
  });
  const listed = longestList(options);
  const lists = gradientLists(
    errors,
    errors.map(() => 1),
    { listed },
  );
  const streamGradient = tensor(new Float32Array(rows * inputSize), [rows, inputSize]);
  const given = [
    tensor(tables.rowAnswers, [rows, 2]),
    tensor(lists.indices, [answers, listed]),
    tensor(lists.coefficients, [answers, listed]),
  ];
  run(featurePoolGradientOp, [streamGradient, hidden, ...given, ...encoder], attrs);
  const gradient = await read(streamGradient);
  dispose([hidden, scoredRows, entryRanges, streamGradient, ...encoder, ...outputs, ...given]);
  return { pooled, activity: activity!, distances: errors.map(({ distance }) => distance), gradient };
}

/** Every pair alone and in a batch of all, bit for bit. */
export async function checkPoolInvariance(inputSize: number, isSerial: boolean): Promise<void> {
  const all = await featuresOf(pairs, inputSize, isSerial);
  const tiles = all.activity.length / (2 * pairs.length);
  let row = 0;
  for (const [index, pair] of pairs.entries()) {
    const alone = await featuresOf([pair], inputSize, isSerial);
    const answers = [index, pairs.length + index];
    const partOf = (values: ArrayLike<number>, width: number): number[] =>
      answers.flatMap((answer) => Array.from(values).slice(answer * width, (answer + 1) * width));
    expect(partOf(all.pooled, WIDTH)).toEqual([...alone.pooled]);
    expect(partOf(all.activity, tiles)).toEqual([...alone.activity]);
    expect(partOf(all.distances, 1)).toEqual(alone.distances);
    const start = row * inputSize;
    expect([...all.gradient.subarray(start, start + alone.gradient.length)]).toEqual([...alone.gradient]);
    expect(alone.gradient.some((value) => value !== 0)).toBe(true);
    row += alone.gradient.length / inputSize;
  }
}
