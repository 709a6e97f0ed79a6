import { describe, expect, it } from "vitest";
import { read, tensor, zeros } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { Segment } from "../groupLinear/groupLinear.ts";
import { loraGradient, loraGradientOp } from "./loraGradient.ts";

const [rows, width, scale] = [4, 3, 1.5];
/** Three linears, of which the second has no adapter. */
const segments: readonly Segment[] = [
  { columns: 2, rank: 2 },
  { columns: 3, rank: 0 },
  { columns: 4, rank: 1 },
];
const columns = 9;
const ranks = 3;
/** Where A [3, 3] and the B [2, 2] and [4, 1] lie in theta, with gaps. */
const [aOffset, bOffset, size] = [2, 12, 21];

const random = (seed: number, count: number): Float64Array => Float64Array.from(randomValues(seed, [count]));

/** sum(dy * y) of the group's adapters, written out: y = scale * B (A x), linear by linear. */
function loss(theta: Float64Array, x: Float64Array, dy: Float64Array): number {
  const lowRank = (row: number, i: number): number => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += theta[aOffset + i * width + k]! * x[row * width + k]!;
    return sum;
  };
  let total = 0;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < 2; c++) {
      const [b0, b1] = [theta[bOffset + 2 * c]!, theta[bOffset + 2 * c + 1]!];
      total += dy[row * columns + c]! * scale * (b0 * lowRank(row, 0) + b1 * lowRank(row, 1));
    }
    for (let c = 0; c < 4; c++) {
      total += dy[row * columns + 5 + c]! * scale * theta[bOffset + 4 + c]! * lowRank(row, 2);
    }
  }
  return total;
}

/** Gradient of x A^T: scale * dy B, column by column of the low rank. */
function lowRankGradient(theta: Float64Array, dy: Float64Array): Float64Array {
  const dxa = new Float64Array(rows * ranks);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < 2; c++) {
      dxa[row * ranks]! += scale * dy[row * columns + c]! * theta[bOffset + 2 * c]!;
      dxa[row * ranks + 1]! += scale * dy[row * columns + c]! * theta[bOffset + 2 * c + 1]!;
    }
    for (let c = 0; c < 4; c++) {
      dxa[row * ranks + 2]! += scale * dy[row * columns + 5 + c]! * theta[bOffset + 4 + c]!;
    }
  }
  return dxa;
}

/** Rows of one more column, then A x. */
function lowRankRows(theta: Float64Array, x: Float64Array): Float64Array {
  return Float64Array.from({ length: rows * (1 + ranks) }, (_, at) => {
    const [row, i] = [Math.floor(at / (1 + ranks)), (at % (1 + ranks)) - 1];
    if (i < 0) return Number.NaN;
    return [0, 1, 2].reduce((sum, k) => sum + theta[aOffset + i * width + k]! * x[row * width + k]!, 0);
  });
}

const attrs = {
  segments,
  aOffset,
  bOffset,
  scale,
  xaOffset: 1,
  isWidthVector: false,
  isColumnsVector: false,
  canSplit: false,
};
const shapes = [[rows, ranks], [rows, width], [rows, columns], [rows, 1 + ranks], [size]];

describe("loraGradient", () => {
  it.each([false, true])("agrees with central differences, added to what is there: %s", (accumulates) => {
    const [theta, x, dy] = [random(1, size), random(2, rows * width), random(3, rows * columns)];
    const held = accumulates ? random(4, size) : new Float64Array(size);
    const gtheta = accumulates ? held.slice() : new Float64Array(size).fill(Number.NaN);
    // What lies between the factors belongs to others.
    const gaps = [0, 1, 11, 20];
    if (!accumulates) for (const gap of gaps) gtheta[gap] = 0;
    const inputs = [lowRankGradient(theta, dy), x, dy, lowRankRows(theta, x), gtheta];
    loraGradientOp.cpu(inputs, [], shapes, { ...attrs, accumulates });
    const expected = theta.map((value, i) => {
      const [less, more] = [theta.with(i, value - 1e-4), theta.with(i, value + 1e-4)];
      return held[i]! + (loss(more, x, dy) - loss(less, x, dy)) / 2e-4;
    });
    expect(() => compare(gtheta, expected, { label: "gtheta", tolerance: 1e-9 })).not.toThrow();
  });

  it("runs on tensors", async () => {
    await openTestDevice("cpu");
    const tensors = {
      dxa: tensor([2, 3], [2, 1]),
      x: tensor([1, 10], [2, 1]),
      dy: tensor([1, 4], [2, 1]),
      xa: tensor([0, 5, 0, 7], [2, 2]),
      gtheta: zeros([3]),
    };
    const adapter = { segments: [{ columns: 1, rank: 1 }], aOffset: 1, bOffset: 2, scale: 2 };
    // dA = 2 * 1 + 3 * 10, dB = 2 * (1 * 5 + 4 * 7).
    loraGradient(tensors, adapter, { xaOffset: 1, accumulates: false });
    expect([...(await read(tensors.gtheta))]).toEqual([0, 32, 66]);
    loraGradient(tensors, adapter, { xaOffset: 1, accumulates: true });
    expect([...(await read(tensors.gtheta))]).toEqual([0, 64, 132]);
    for (const each of Object.values(tensors)) each.dispose();
  });

  it("folds more than 65,535 workgroups", () => {
    // Half a million tiles for B of a linear with two million outputs, 8 in a workgroup.
    const wide = [{ columns: 2_097_184, rank: 1 }];
    const all = { ...attrs, segments: wide, aOffset: 0, bOffset: 1, accumulates: false, canSplit: true };
    const { workgroups } = loraGradientOp.dispatch([[1, 1], [1, 1], [1, 2_097_184], [1, 2], [2_097_185]], all); // prettier-ignore
    expect(workgroups).toEqual([65_535, 2, 1]);
  });

  it("refuses tensors that do not fit", () => {
    const all = { ...attrs, accumulates: false };
    const check = (changed: Record<number, number[]>, using = all) =>
      loraGradientOp.outputShapes(
        shapes.map((shape, index) => changed[index] ?? shape),
        using,
      );
    expect(check({})).toEqual([]);
    expect(() => check({ 0: [rows, 4] })).toThrow(/dxa is \[4, 4\], not \[4, 3\]/);
    expect(() => check({ 2: [rows, 8] })).toThrow(/dy is \[4, 8\], not \[4, 9\]/);
    expect(() => check({ 3: [rows, 3] })).toThrow(/3 columns from 1 on of 3/);
    expect(() => check({ 4: [19] })).toThrow(/element 20 of 19/);
    expect(() => check({}, { ...all, segments: [{ columns: 9, rank: 0 }] })).toThrow(/no segment/);
  });
});
