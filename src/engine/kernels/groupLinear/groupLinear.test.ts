import { describe, expect, it } from "vitest";
import { ShapeError } from "../../tensor/op.ts";
import { compare as checkClose, randomValues } from "../../tensor/testing.ts";
import { placed, totalRank } from "./groupLinear.ts";
import type { GroupAttrs, Segment } from "./groupLinear.ts";
import { linearDownOp } from "./linearDown.ts";
import { linearGradientOp } from "./linearGradient.ts";
import { linearUpActOp, linearUpOp } from "./linearUp.ts";

const groups: readonly (readonly Segment[])[] = [
  [{ columns: 7, rank: 3 }],
  [{ columns: 4, rank: 2 }, { columns: 3, rank: 2 }, { columns: 3, rank: 2 }], // prettier-ignore
  [{ columns: 4, rank: 1 }, { columns: 2, rank: 0 }, { columns: 2, rank: 4 }], // prettier-ignore
  [{ columns: 3, rank: 0 }, { columns: 5, rank: 2 }], // prettier-ignore
];
const rows = 3;
const inputs = 5;
const scale = 1.5;

const doubles = (seed: number, length: number): Float64Array =>
  Float64Array.from(randomValues(seed, [length]));

/** A group with random values; theta holds other things before, between and after the factors. */
function groupOf(segments: readonly Segment[]) {
  const outputs = segments.reduce((sum, { columns }) => sum + columns, 0);
  const rank = totalRank(segments);
  const upSize = segments.reduce((sum, each) => sum + each.columns * each.rank, 0);
  const [aOffset, bOffset] = [3, 5 + rank * inputs];
  const storage = { layout: "f32", isNativeHalf: false } as const;
  const attrs: GroupAttrs = {
    inputs,
    outputs,
    ...storage,
    segments,
    offset: 0,
    scale,
    hasBias: true,
    canSplit: false,
  };
  return {
    attrs,
    rank,
    aOffset,
    bOffset,
    x: doubles(1, rows * inputs),
    weight: doubles(2, outputs * inputs),
    bias: doubles(3, outputs),
    theta: doubles(4, bOffset + upSize + 1),
    dy: doubles(5, rows * outputs),
  };
}

type Group = ReturnType<typeof groupOf>;

/** The low-rank rows x A^T, in columns of their own after one that belongs to something else. */
function lowRankRows({ attrs, x, weight, bias, theta, rank, aOffset }: Group): Float64Array {
  const [y, ya] = [new Float64Array(rows * attrs.outputs), new Float64Array(rows * rank)];
  const shapes = [[rows, inputs], [attrs.outputs, inputs], [attrs.outputs], [theta.length]]; // prettier-ignore
  linearDownOp.cpu([x, weight, bias, theta], [y, ya], shapes, { ...attrs, offset: aOffset });
  const xa = new Float64Array(rows * (1 + rank)).fill(Number.NaN);
  for (let row = 0; row < rows; row++)
    xa.set(ya.subarray(row * rank, (row + 1) * rank), row * (1 + rank) + 1);
  return xa;
}

/** y through the two operations of a forward pass. */
function outputsOf(group: Group): Float64Array {
  const { attrs, x, weight, bias, theta, rank, bOffset } = group;
  const y = new Float64Array(rows * attrs.outputs);
  const shapes = [[rows, inputs], [attrs.outputs, inputs], [attrs.outputs], [rows, 1 + rank], [theta.length]]; // prettier-ignore
  const upAttrs = { ...attrs, offset: bOffset, xaOffset: 1 };
  linearUpOp.cpu([x, weight, bias, lowRankRows(group), theta], [y], shapes, upAttrs);
  return y;
}

/** The whole weight of one output, W + scale B A. */
function effectiveRow({ attrs, weight, theta, aOffset, bOffset }: Group, column: number): Float64Array {
  const row = weight.slice(column * inputs, (column + 1) * inputs);
  const segment = placed(attrs.segments).findLast(({ firstColumn }) => firstColumn <= column)!;
  const { rank, firstColumn, firstRank, firstFactor } = segment;
  for (let r = 0; r < rank; r++) {
    const b = theta[bOffset + firstFactor + (column - firstColumn) * rank + r]!;
    for (let k = 0; k < inputs; k++) row[k]! += scale * b * theta[aOffset + (firstRank + r) * inputs + k]!;
  }
  return row;
}

/** The definition, entry by entry: x (W + scale B A)^T + bias. */
function definition(group: Group): Float64Array {
  const { attrs, x, bias } = group;
  return new Float64Array(rows * attrs.outputs).map((_, index) => {
    const [row, column] = [Math.floor(index / attrs.outputs), index % attrs.outputs];
    return effectiveRow(group, column).reduce((sum, w, k) => sum + w * x[row * inputs + k]!, bias[column]!);
  });
}

function functional(group: Group): number {
  return outputsOf(group).reduce((sum, value, index) => sum + value * group.dy[index]!, 0);
}

describe.each(groups.map((segments) => ({ segments })))("a group of $segments", ({ segments }) => {
  it("has the outputs of the definition", () => {
    const group = groupOf(segments);
    checkClose(outputsOf(group), definition(group), { label: "y", tolerance: 1e-12 });
  });

  it("has the gradient of its rows", () => {
    const group = groupOf(segments);
    const { attrs, x, dy, weight, theta, rank, aOffset, bOffset } = group;
    const [dx, dxa] = [new Float64Array(rows * inputs), new Float64Array(rows * rank)];
    const shapes = [[rows, attrs.outputs], [attrs.outputs, inputs], [theta.length]]; // prettier-ignore
    const gradientAttrs = { ...attrs, hasBias: false, offset: bOffset };
    linearGradientOp.cpu([dy, weight, theta], [dx, dxa], shapes, gradientAttrs);
    const whole = dx.map((value, index) => {
      const [row, k] = [Math.floor(index / inputs), index % inputs];
      for (let r = 0; r < rank; r++) value += dxa[row * rank + r]! * theta[aOffset + r * inputs + k]!;
      return value;
    });
    const step = 1e-5;
    const differences = x.map((value, element) => {
      const at = (moved: number): number => functional({ ...group, x: x.with(element, moved) });
      return (at(value + step) - at(value - step)) / (2 * step);
    });
    checkClose(whole, differences, { label: "dx", tolerance: 1e-8 });
  });
});

describe("linearUpAct", () => {
  it.each(["silu", "geluTanh"] as const)("has the outputs of the definition with %s", (activation) => {
    const group = groupOf([{ columns: 5, rank: 2 }, { columns: 5, rank: 2 }]); // prettier-ignore
    const { attrs, x, weight, bias, theta, rank, bOffset } = group;
    const [a, gu] = [new Float64Array(rows * 5), new Float64Array(rows * 10)];
    const shapes = [[rows, inputs], [10, inputs], [10], [rows, 1 + rank], [theta.length]]; // prettier-ignore
    const actAttrs = { ...attrs, offset: bOffset, xaOffset: 1, activation, keeps: true };
    linearUpActOp.cpu([x, weight, bias, lowRankRows(group), theta], [a, gu], shapes, actAttrs);
    const expected = definition(group);
    checkClose(gu, expected, { label: "gu", tolerance: 1e-12 });
    const gelu = (g: number): number =>
      (g / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g ** 3)));
    const gate = activation === "silu" ? (g: number): number => g / (1 + Math.exp(-g)) : gelu;
    const products = a.map((_, index) => {
      const at = Math.floor(index / 5) * 10 + (index % 5);
      return gate(expected[at]!) * expected[at + 5]!;
    });
    checkClose(a, products, { label: "a", tolerance: 1e-12 });
  });

  it("refuses an odd number of rows", () => {
    const { attrs } = groupOf([{ columns: 7, rank: 0 }]);
    const actAttrs = { ...attrs, segments: [], hasBias: false, xaOffset: 0, activation: "silu", keeps: false } as const; // prettier-ignore
    expect(() => linearUpActOp.outputShapes([[3, 5], [7, 5]], actAttrs)).toThrow(/as many gate as up/); // prettier-ignore
  });
});

describe("shapes of a group", () => {
  const { attrs } = groupOf([{ columns: 4, rank: 2 }]);
  const upAttrs = { ...attrs, hasBias: false, xaOffset: 1 };

  it("are refused with both numbers where they do not fit", () => {
    const refusals: readonly [readonly (readonly number[])[], RegExp][] = [
      [[[3, 6], [4, 5], [3, 3], [20]], /x is \[3, 6\], \[rows, 5\]/],
      [[[3, 5], [5, 5], [3, 3], [20]], /5 rows, not 4/],
      [[[3, 5], [4, 5], [3, 2], [20]], /\[3, 2\], 3 rows of at least 3/],
      [[[3, 5], [4, 5], [3, 3], [7]], /element 8 in theta \[7\]/],
    ]; // prettier-ignore
    for (const [shapes, message] of refusals) {
      expect(() => linearUpOp.outputShapes(shapes, upAttrs)).toThrow(ShapeError);
      expect(() => linearUpOp.outputShapes(shapes, upAttrs)).toThrow(message);
    }
    const wide = { ...upAttrs, segments: [{ columns: 5, rank: 1 }] };
    expect(() => linearUpOp.outputShapes([[3, 5], [4, 5], [3, 3], [20]], wide)).toThrow(/5 columns .* 4 rows/); // prettier-ignore
  });
});
