import { describe, expect, test } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { attentionOp, type AttentionAttributes } from "./attention.ts";
import { causalRanges } from "./causalRanges.ts";

/** Sequences of the given lengths. */
function plain(...lengths: readonly number[]) {
  return lengths.map((prompt) => ({ prompt, branches: [] }));
}

interface Arrays {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/** Softmax over a full [rows, keys] matrix with a mask, as attention is defined. */
function definition(
  { q, k, v }: Arrays,
  isSeen: (row: number, key: number) => boolean,
  { heads, keyValueHeads, headDim, scale }: AttentionAttributes,
): { o: number[]; logSumExp: number[] } {
  const rows = q.length / (heads * headDim);
  const keys = k.length / (keyValueHeads * headDim);
  const o = Array.from({ length: q.length }, () => 0);
  const logSumExp: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor((head * keyValueHeads) / heads);
      const exponentials = Array.from({ length: keys }, (_, key) => {
        if (!isSeen(row, key)) return 0;
        let product = 0;
        for (let i = 0; i < headDim; i++) {
          product +=
            q[(row * heads + head) * headDim + i]! * k[(key * keyValueHeads + shared) * headDim + i]!;
        }
        return Math.exp(product * scale);
      });
      const sum = exponentials.reduce((a, b) => a + b, 0);
      logSumExp.push(Math.log(sum));
      exponentials.forEach((exponential, key) => {
        for (let i = 0; i < headDim; i++) {
          o[(row * heads + head) * headDim + i]! +=
            (exponential / sum) * v[(key * keyValueHeads + shared) * headDim + i]!;
        }
      });
    }
  }
  return { o, logSumExp };
}

function randomArrays(rows: number, { heads, keyValueHeads, headDim }: AttentionAttributes): Arrays {
  return {
    q: Float64Array.from(randomValues(1, [rows, heads * headDim])),
    k: Float64Array.from(randomValues(2, [rows, keyValueHeads * headDim])),
    v: Float64Array.from(randomValues(3, [rows, keyValueHeads * headDim])),
  };
}

function attend({ q, k, v }: Arrays, keyRanges: Int32Array, attributes: AttentionAttributes) {
  const rows = q.length / (attributes.heads * attributes.headDim);
  const o = new Float64Array(q.length);
  const logSumExp = new Float64Array(rows * attributes.heads);
  attentionOp.cpu([q, k, v, keyRanges], [o, logSumExp], [[rows, q.length / rows]], attributes);
  return { o, logSumExp };
}

const grouped: AttentionAttributes = { heads: 4, keyValueHeads: 2, headDim: 8, scale: 0.35 };

describe("attention on the cpu", () => {
  test.each([
    [1, 1],
    [4, 2],
    [8, 1],
  ])("equals the definition for %d heads over %d key-value heads", (heads, keyValueHeads) => {
    const attributes = { ...grouped, heads, keyValueHeads };
    const arrays = randomArrays(9, attributes);
    const sequenceOf = [0, 0, 0, 1, 2, 2, 2, 2, 2];
    const expected = definition(
      arrays,
      (row, key) => sequenceOf[row] === sequenceOf[key] && key <= row,
      attributes,
    );
    const actual = attend(arrays, causalRanges(plain(3, 1, 5)).keyRanges, attributes);
    expect(Math.max(...expected.o.map((value, i) => Math.abs(value - actual.o[i]!)))).toBeLessThan(1e-12);
    expect(
      Math.max(...expected.logSumExp.map((value, i) => Math.abs(value - actual.logSumExp[i]!))),
    ).toBeLessThan(1e-12);
  });

  test("gives zeros to a row without keys", () => {
    const { o, logSumExp } = attend(randomArrays(2, grouped), Int32Array.of(0, 2, 1, 1), grouped);
    expect([...o.subarray(32)]).toEqual(Array.from({ length: 32 }, () => 0));
    expect([...logSumExp.subarray(4)]).toEqual([-1e30, -1e30, -1e30, -1e30]);
    expect(o.subarray(0, 32).every((value) => value !== 0)).toBe(true);
  });

  test("keeps scores of thousands finite", () => {
    const { o } = attend(randomArrays(5, grouped), causalRanges(plain(5)).keyRanges, {
      ...grouped,
      scale: 5000,
    });
    expect(o.every(Number.isFinite)).toBe(true);
  });
});

describe("gradient of attention", () => {
  test.each([
    [2, 2],
    [4, 2],
    [4, 1],
  ])("agrees with finite differences for %d heads over %d", async (heads, keyValueHeads) => {
    const attributes = { heads, keyValueHeads, headDim: 4, scale: 0.5 };
    const { q, k, v } = randomArrays(6, attributes);
    const { keyRanges, queryRanges } = causalRanges(plain(2, 1, 3));
    await checkGradient(attentionOp, {
      inputs: [
        { values: q, shape: [6, heads * 4] },
        { values: k, shape: [6, keyValueHeads * 4] },
        { values: v, shape: [6, keyValueHeads * 4] },
        { values: keyRanges, shape: [6, 2] },
        { values: queryRanges, shape: [6, 2] },
      ],
      attrs: attributes,
      outputs: [0],
      wrt: ["q", "k", "v"],
    });
  });

  test("agrees with finite differences for a sliding window and an unseen key", async () => {
    const attributes = { heads: 2, keyValueHeads: 1, headDim: 4, scale: 0.5 };
    const { q, k, v } = randomArrays(4, attributes);
    await checkGradient(attentionOp, {
      inputs: [
        { values: q, shape: [4, 8] },
        { values: k, shape: [4, 4] },
        { values: v, shape: [4, 4] },
        { values: Int32Array.of(0, 1, 0, 2, 1, 3, 2, 3), shape: [4, 2] },
        { values: Int32Array.of(0, 2, 1, 3, 2, 4, 0, 0), shape: [4, 2] },
      ],
      attrs: attributes,
      outputs: [0],
      wrt: ["q", "k", "v"],
    });
  });
});

test("refuses shapes that do not fit", () => {
  const shapes = [
    [6, 32],
    [6, 16],
    [6, 16],
    [6, 2],
    [6, 2],
  ];
  expect(attentionOp.outputShapes(shapes, grouped)).toEqual([
    [6, 32],
    [6, 4],
  ]);
  expect(() => attentionOp.outputShapes(shapes, { ...grouped, heads: 3 })).toThrow("share 2");
  expect(() => attentionOp.outputShapes(shapes, { ...grouped, headDim: 6 })).toThrow("multiple of 4");
  expect(() => attentionOp.outputShapes(shapes.with(2, [5, 16]), grouped)).toThrow("6 keys and 5 values");
  expect(() => attentionOp.outputShapes(shapes.with(4, [5, 2]), grouped)).toThrow("ranges of [5, 2]");
});
