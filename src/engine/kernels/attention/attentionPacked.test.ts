import { describe, expect, test } from "vitest";
import { compare } from "../../tensor/testing.ts";
import { attentionOp } from "./attention.ts";
import { attentionDeltaOp, attentionDkOp, attentionDqOp, attentionDvOp } from "./attentionBackward.ts";
import { attentionOverCachePackedOp, attentionPackedOp } from "./attentionPacked.ts";
import {
  attentionGradientKVOp,
  attentionGradientQOp,
  attentionPreOp,
  type AttentionGradientAttributes,
} from "./attentionPackedBackward.ts";
import { causalRanges, type Segment } from "./causalRanges.ts";
import { forward, randomPass, rotated, wholePass } from "./packedPass.testing.ts";

const grouped: AttentionGradientAttributes = {
  heads: 4,
  keyValueHeads: 2,
  headDim: 8,
  scale: 0.35,
  rotary: 8,
};
const pair: readonly Segment[] = [
  { prompt: 2, branches: [2, 3] },
  { prompt: 3, branches: [] },
];

/** Columns [start, start + width) of every row. */
function columns(values: Float64Array, stride: number, start: number, width: number): Float64Array {
  const rows = values.length / stride;
  return Float64Array.from(
    { length: rows * width },
    (_, i) => values[Math.floor(i / width) * stride + start + (i % width)]!,
  );
}

/** The rows named, of the given width. */
function rowsOf(values: Float64Array, width: number, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
}

function checkClose(label: string, actual: Float64Array, expected: Float64Array, tolerance = 1e-14): void {
  compare(actual, expected, { label, tolerance });
}

test.each([undefined, 2])("packed rows give what separate ones give, soft cap %s", (softCap) => {
  const attributes = { ...grouped, rotary: 0, ...(softCap === undefined ? {} : { softCap }) };
  const pass = randomPass(attributes, causalRanges(pair));
  const { qkv, o, logSumExp, dOutput, delta, dqkv } = wholePass(pass);
  const { keyRanges, queryRanges } = pass.ranges;
  const [q, k, v] = [columns(qkv, 64, 0, 32), columns(qkv, 64, 32, 16), columns(qkv, 64, 48, 16)];
  const separate = {
    o: o.slice().fill(0),
    logSumExp: logSumExp.slice().fill(0),
    delta: delta.slice().fill(0),
  };
  attentionOp.cpu([q, k, v, keyRanges], [separate.o, separate.logSumExp], [], attributes);
  attentionDeltaOp.cpu([dOutput, o], [separate.delta], [], attributes);
  checkClose("o", o, separate.o);
  checkClose("logSumExp", logSumExp, separate.logSumExp);
  checkClose("delta", delta, separate.delta);
  const gradients = [q, k, v].map((each) => each.slice().fill(0));
  attentionDqOp.cpu([q, k, v, dOutput, o, logSumExp, keyRanges], [gradients[0]!], [], attributes);
  attentionDkOp.cpu([q, k, v, dOutput, logSumExp, delta, queryRanges], [gradients[1]!], [], attributes);
  attentionDvOp.cpu([q, k, dOutput, logSumExp, queryRanges], [gradients[2]!], [], attributes);
  checkClose("dq", columns(dqkv, 64, 0, 32), gradients[0]!);
  checkClose("dk", columns(dqkv, 64, 32, 16), gradients[1]!);
  checkClose("dv", columns(dqkv, 64, 48, 16), gradients[2]!);
  const cached = { o: o.slice().fill(0), logSumExp: logSumExp.slice().fill(0) };
  attentionOverCachePackedOp.cpu([qkv, k, v, keyRanges], [cached.o, cached.logSumExp], [], attributes);
  checkClose("over a cache", cached.o, o);
});

describe("gradient of packed attention agrees with finite differences", () => {
  test.each([
    { name: "one head", changes: { heads: 1, keyValueHeads: 1 } },
    { name: "groups of two", changes: {} },
    { name: "groups of eight", changes: { heads: 8, keyValueHeads: 1, headDim: 4, rotary: 4 } },
    { name: "half of a head turned", changes: { rotary: 4 } },
    { name: "pairs across vectors", changes: { headDim: 12, rotary: 12 } },
    { name: "nothing turned", changes: { rotary: 0 } },
    { name: "a soft cap", changes: { softCap: 1.5 } },
    { name: "a window", changes: {}, window: 2 },
    { name: "a window and a soft cap", changes: { softCap: 3 }, window: 3 },
  ])("$name", ({ changes, window }) => {
    const pass = randomPass({ ...grouped, ...changes }, causalRanges(pair, window));
    const { dOutput, dqkv } = wholePass(pass);
    const { rank, aOffset } = pass.preAttributes;
    const width = pass.attributes.heads * pass.attributes.headDim;
    // The gradient that reaches the outputs, with the adapter's part by its definition.
    const upstream = pass.dOutput.map((value, item) => {
      let sum = value;
      for (let r = 0; r < rank; r++) {
        const factor = pass.theta[aOffset + r * width + (item % width)]!;
        sum += pass.dxa[Math.floor(item / width) * rank + r]! * factor;
      }
      return sum;
    });
    checkClose("dOutput", dOutput, upstream, 1e-14);
    const functional = (element: number, change: number) => {
      const raw = pass.raw.slice();
      raw[element]! += change;
      const { o } = forward(pass, rotated({ ...pass, raw }));
      return o.reduce((sum, value, item) => sum + value * upstream[item]!, 0);
    };
    const step = 1e-5;
    const expected = pass.raw.map(
      (_, element) => (functional(element, step) - functional(element, -step)) / (2 * step),
    );
    checkClose("dqkv", dqkv, expected, 1e-8);
  });
});

test("a shared prompt gives what two sequences give, and the sum of their gradients", () => {
  const [prompt, chosen, rejected] = [5, 3, 4];
  const shared = randomPass(grouped, causalRanges([{ prompt, branches: [chosen, rejected] }]));
  const promptRows = [0, 1, 2, 3, 4];
  const lists = { chosen: [...promptRows, 5, 6, 7], rejected: [...promptRows, 8, 9, 10, 11] };
  const both = [...lists.chosen, ...lists.rejected];
  const ranges = causalRanges([
    { prompt: lists.chosen.length, branches: [] },
    { prompt: lists.rejected.length, branches: [] },
  ]);
  const raw = rowsOf(shared.raw, 64, both);
  const together = wholePass(shared);
  // A prompt row's upstream gradient belongs to both sequences; half in each keeps the sum.
  const upstream = rowsOf(shared.dOutput, 32, both);
  const dxa = rowsOf(shared.dxa, 3, both);
  const apart = { ...randomPass(grouped, ranges), raw, theta: shared.theta, table: shared.table };
  const halved = (values: Float64Array, width: number) =>
    values.map((value, item) => (both[Math.floor(item / width)]! < prompt ? value / 2 : value));
  const pass = wholePass({ ...apart, dOutput: halved(upstream, 32), dxa: halved(dxa, 3) });
  const tolerance = 1e-12;
  checkClose("o", pass.o, rowsOf(together.o, 32, both), tolerance);
  checkClose("logSumExp", pass.logSumExp, rowsOf(together.logSumExp, 4, both), tolerance);
  const sums = new Float64Array(together.dqkv.length);
  both.forEach((row, at) => {
    for (let i = 0; i < 64; i++) sums[row * 64 + i]! += pass.dqkv[at * 64 + i]!;
  });
  checkClose("dqkv", together.dqkv, sums, tolerance);
});

test("rows without keys give zeros, forward and backward", () => {
  const filled = causalRanges(pair);
  const rows = filled.positions.length + 1;
  // One more row, as it pads a batch.
  const padded = (values: Int32Array, width: number) => {
    const longer = new Int32Array(rows * width);
    longer.set(values);
    return longer;
  };
  const pass = randomPass(grouped, {
    ...filled,
    keyRanges: padded(filled.keyRanges, 4),
    queryRanges: padded(filled.queryRanges, 4),
    positions: padded(filled.positions, 1),
  });
  const { o, logSumExp, dqkv } = wholePass(pass);
  const last = (values: Float64Array) => [...values.subarray(values.length - values.length / rows)];
  expect(last(o)).toEqual(Array.from({ length: 32 }, () => 0));
  expect(last(logSumExp)).toEqual([-1e30, -1e30, -1e30, -1e30]);
  expect(last(dqkv).every((value) => value === 0)).toBe(true);
  expect(dqkv.every(Number.isFinite)).toBe(true);
});

test("refuses shapes that do not fit", () => {
  const forwardShapes = (...shapes: number[][]) => attentionPackedOp.outputShapes(shapes, grouped);
  expect(forwardShapes([6, 64], [6, 4])).toEqual([
    [6, 32],
    [6, 4],
  ]);
  expect(() => forwardShapes([6, 60], [6, 4])).toThrow("packed rows of 64 got rows of 60");
  expect(() => forwardShapes([6, 64], [6, 3])).toThrow("ranges of [6, 3]");
  expect(() => forwardShapes([6, 64], [5, 2])).toThrow("ranges of [5, 2]");
  const overCache = [
    [6, 64],
    [9, 16],
    [8, 16],
    [6, 2],
  ];
  expect(() => attentionOverCachePackedOp.outputShapes(overCache, grouped)).toThrow("9 keys and 8 values");
  const pre = { heads: 4, headDim: 8, rank: 2, aOffset: 10 };
  const preShapes = [[6, 32], [6, 2], [73], [6, 32]];
  expect(() => attentionPreOp.outputShapes(preShapes, pre)).toThrow("64 factors from 10 on, of 73");
  expect(attentionPreOp.outputShapes(preShapes.with(2, [74]), pre)).toEqual([[6, 4]]);
  expect(attentionPreOp.inputs({ ...pre, rank: 0 }).map(({ name }) => name)).toEqual(["dOutput", "o"]);
  const backward = [[6, 64], [6, 32], [6, 4], [6, 4], [6, 2], [9, 4, 2], [6]];
  expect(attentionGradientQOp.outputShapes(backward, grouped)).toEqual([[6, 64]]);
  expect(() => attentionGradientQOp.outputShapes(backward, { ...grouped, rotary: 4 })).toThrow("a table");
  expect(() => attentionGradientQOp.outputShapes(backward, { ...grouped, rotary: 10 })).toThrow("turn 10");
  expect(() => attentionGradientKVOp.outputShapes([...backward, [6, 32]], grouped)).toThrow("dqkv");
});
