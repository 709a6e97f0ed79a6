import { describe, expect, it } from "vitest";
import { ShapeError } from "../../tensor/op.ts";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { differentiated } from "./headColumns.testing.ts";
import type { HeadArrays } from "./lmHeadLogProbs.cpu.ts";
import {
  headHiddenGradient,
  headStatistics,
  headWeightGradient,
  statisticColumn,
  statisticsWidth,
} from "./lmHeadLogProbs.cpu.ts";
import { packRows, unpackRow, weightLayouts } from "../weightLayout/weightLayout.ts";
import { headAttrs, lmHeadLogProbsOp } from "./lmHeadLogProbs.ts";
import { naiveStatistics } from "./naiveHead.testing.ts";

/** Numbers in [-1, 1) that depend on the seed alone. */
function numbers(seed: number, length: number, scale = 1): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

type Sizes = Pick<HeadArrays, "rows" | "width" | "vocabulary">;

function exampleHead({ rows, width, vocabulary }: Sizes): HeadArrays & { reference: Float64Array } {
  return {
    rows,
    width,
    vocabulary,
    hidden: numbers(1, rows * width, 2),
    weight: numbers(2, vocabulary * width),
    labels: Array.from({ length: rows }, (_, row) => (row * 7 + vocabulary - 1) % vocabulary),
    reference: numbers(3, rows * width, 2),
  };
}

function statisticsOf(head: HeadArrays): Float64Array {
  const statistics = new Float64Array(head.rows * statisticsWidth);
  headStatistics(head, statistics);
  return statistics;
}

/** A different upstream gradient for every row and statistic, also for those that take none. */
function upstreamFor(rows: number): Float64Array {
  return numbers(4, rows * statisticsWidth);
}

function objectiveOf(head: HeadArrays, upstream: Float64Array, referenceWeight = head.weight): number {
  return naiveStatistics(head, referenceWeight)
    .flatMap((values, row) =>
      values
        .slice(0, statisticColumn.referenceLogSumExp)
        .map((value, column) => value * upstream[row * statisticsWidth + column]!),
    )
    .reduce((sum, value) => sum + value, 0);
}

function centralDifferences(array: Float64Array, value: () => number): number[] {
  const step = 1e-5;
  return Array.from(array, (start, i) => {
    array[i] = start + step;
    const above = value();
    array[i] = start - step;
    const below = value();
    array[i] = start;
    return (above - below) / (2 * step);
  });
}

/** Largest difference between two arrays, as a fraction of the largest expected magnitude or of 1. */
function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const size = Math.max(1, ...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, i) => Math.abs(actual[i]! - value) / size));
}

describe("head statistics", () => {
  it("gives the numbers of a worked example", () => {
    // Logits 0 and ln 3, so probabilities 1/4 and 3/4; the reference's are 1/2 each.
    const head = { rows: 1, width: 1, vocabulary: 2, labels: [1] };
    const arrays = {
      hidden: Float64Array.of(1),
      weight: Float64Array.of(0, Math.log(3)),
      reference: Float64Array.of(0),
    };
    const statistics = statisticsOf({ ...head, ...arrays });
    const [logp, entropy, kl, meanLogit, logSumExp, referenceLogSumExp] = statistics;
    expect(logp).toBeCloseTo(Math.log(3 / 4), 14);
    expect(entropy).toBeCloseTo(Math.log(4) - 0.75 * Math.log(3), 14);
    expect(kl).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 14);
    expect(meanLogit).toBeCloseTo(Math.log(3) / 2, 14);
    expect(logSumExp).toBeCloseTo(Math.log(4), 14);
    expect(referenceLogSumExp).toBeCloseTo(Math.log(2), 14);
    const [logSumSquares, reverseDivergence, isTop] = statistics.subarray(6);
    expect(logSumSquares).toBeCloseTo(Math.log(1 / 16 + 9 / 16), 14);
    expect(reverseDivergence).toBeCloseTo(0.25 * Math.log(1 / 2) + 0.75 * Math.log(3 / 2), 14);
    expect(isTop).toBe(1);
    expect(statisticsOf({ ...head, ...arrays, labels: [0] })[statisticColumn.isTop]).toBe(0);
    // Equal logits are all the largest.
    const hidden = Float64Array.of(0);
    expect(statisticsOf({ ...head, ...arrays, hidden, labels: [0] })[statisticColumn.isTop]).toBe(1);
  });

  it.each([
    { rows: 3, width: 37, vocabulary: 65 },
    { rows: 2, width: 64, vocabulary: 512 },
    { rows: 5, width: 96, vocabulary: 768 },
    { rows: 1, width: 8, vocabulary: 2003 },
    { rows: 2, width: 3, vocabulary: 50_000 },
    { rows: 1, width: 1, vocabulary: 1 },
  ])("agrees with the full softmax at %o", (sizes) => {
    const head = exampleHead(sizes);
    for (const each of [head, { ...head, softCap: 1.5 }]) {
      const statistics = statisticsOf(each);
      naiveStatistics(each).forEach((expected, row) => {
        const start = row * statisticsWidth;
        const actual = statistics.subarray(start, start + statisticsWidth);
        expect(worstDifference(actual, expected)).toBeLessThan(1e-11);
      });
    }
  });

  it("has a KL of exactly 0 to itself, both ways", () => {
    const head = exampleHead({ rows: 4, width: 37, vocabulary: 101 });
    const statistics = statisticsOf({ ...head, reference: head.hidden });
    for (let row = 0; row < head.rows; row++) {
      expect(statistics[row * statisticsWidth + statisticColumn.kl]).toBe(0);
      expect(statistics[row * statisticsWidth + statisticColumn.reverseDivergence]).toBe(0);
    }
  });

  it("stays finite when one logit leads by 160", () => {
    const head: HeadArrays = {
      rows: 2,
      width: 1,
      vocabulary: 3,
      hidden: Float32Array.of(80, -80),
      reference: Float32Array.of(-80, 80),
      weight: Float32Array.of(1, -1, 0),
      labels: [1, 1],
    };
    const statistics = statisticsOf(head);
    const expected = [
      [-160, 0, 160, 0, 80, 80, 0, 160, 0],
      [0, 0, 160, 0, 80, 80, 0, 160, 1],
    ];
    expect(worstDifference(statistics, expected.flat())).toBeLessThan(1e-6);
    const upstream = Float64Array.from(statistics, (_, at) => (at % statisticsWidth < 4 ? 1 : 0));
    const gradient = new Float64Array(2);
    headHiddenGradient({ ...head, statistics, upstream }, gradient);
    // Row 0: d logp = -2, d KL = +2; row 1 is at its maximum, its KL falls along the policy's weight.
    expect(worstDifference(gradient, [0, -2])).toBeLessThan(1e-6);
  });

  it("leaves rows without a valid label at 0", () => {
    const head = { ...exampleHead({ rows: 3, width: 4, vocabulary: 5 }), labels: [-1, 2, 5] };
    const statistics = statisticsOf(head);
    for (const row of [0, 2]) {
      const values = statistics.subarray(row * statisticsWidth, (row + 1) * statisticsWidth);
      expect(values.every((value) => value === 0)).toBe(true);
    }
    const gradient = new Float64Array(12);
    headHiddenGradient({ ...head, statistics, upstream: upstreamFor(3) }, gradient);
    expect(Array.from(gradient.subarray(0, 4))).toEqual([0, 0, 0, 0]);
    expect(Array.from(gradient.subarray(8, 12))).toEqual([0, 0, 0, 0]);
    expect(gradient.subarray(4, 8).every((value) => value !== 0)).toBe(true);
  });
});

describe("head gradients", () => {
  const sizes = { rows: 3, width: 5, vocabulary: 11 };

  const variants = [
    [true, 0],
    [false, 0],
    // Logits of this example reach 5, so that this cap bends them.
    [true, 3],
    [false, 3],
  ] as const;

  it.each(variants)(
    "match central differences for the hidden states (reference: %s, soft cap: %f)",
    (hasReference, softCap) => {
      const { reference, ...bare } = { ...exampleHead(sizes), softCap };
      const head = hasReference ? { ...bare, reference } : bare;
      const upstream = upstreamFor(sizes.rows);
      const gradient = new Float64Array(head.hidden.length);
      headHiddenGradient({ ...head, statistics: statisticsOf(head), upstream }, gradient);
      const expected = centralDifferences(head.hidden as Float64Array, () => objectiveOf(head, upstream));
      expect(worstDifference(gradient, expected)).toBeLessThan(1e-8);
    },
  );

  it.each(variants)(
    "match central differences for the weight (reference: %s, soft cap: %f)",
    (...variant) => {
      const [hasReference, softCap] = variant;
      const { reference, ...bare } = { ...exampleHead(sizes), softCap };
      const head = hasReference ? { ...bare, reference } : bare;
      const upstream = upstreamFor(sizes.rows);
      const gradient = new Float64Array(head.weight.length);
      headWeightGradient({ ...head, statistics: statisticsOf(head), upstream }, gradient);
      const frozen = Float64Array.from(head.weight);
      const expected = centralDifferences(head.weight as Float64Array, () =>
        objectiveOf(head, upstream, frozen),
      );
      expect(worstDifference(gradient, expected)).toBeLessThan(1e-8);
    },
  );
});

describe("lmHeadLogProbs", () => {
  const matrix = (seed: number, rows: number, width: number) => ({
    values: randomValues(seed, [rows, width], 0.7),
    shape: [rows, width],
  });
  const labels = { values: Int32Array.of(3, 0, -1, 12), shape: [4] };

  it.each([5, 8])("passes the statistics' gradient through the tape at hidden size %i", async (width) => {
    const inputs = [matrix(1, 4, width), matrix(2, 13, width), labels];
    for (const softCap of [0, 2]) {
      await checkGradient(differentiated, {
        inputs,
        attrs: headAttrs(width, { softCap }),
        wrt: ["hidden", "weight"],
      });
      await checkGradient(differentiated, {
        inputs: [...inputs, matrix(3, 4, width)],
        attrs: headAttrs(width, { hasReference: true, softCap }),
        wrt: ["hidden"],
      });
    }
  });

  it.each(weightLayouts)("reads a weight packed in %s and passes gradient by it", async (layout) => {
    for (const width of [5, 36]) {
      const words = packRows(matrix(2, 13, width).values, [13, width], layout);
      const weight = layout === "f32" ? new Float32Array(words.buffer) : new Int32Array(words.buffer);
      const shape = [13, words.length / 13];
      const attrs = headAttrs(width, { hasReference: true, layout, softCap: 4 });
      const inputs = [matrix(1, 4, width), { values: weight, shape }, labels, matrix(3, 4, width)];
      await checkGradient(differentiated, { inputs, attrs, wrt: ["hidden"] });

      const rows = Array.from({ length: 13 }, (_, row) => [...unpackRow(words, row, width, layout)]);
      const [hidden, , , reference] = inputs.map(({ values }) => Float64Array.from(values));
      const sizes = { rows: 4, width, vocabulary: 13, softCap: 4, labels: [3, 0, 12, 12] };
      const head = {
        ...sizes,
        hidden: hidden!,
        reference: reference!,
        weight: Float64Array.from(rows.flat()),
      };
      const statistics = new Float64Array(4 * statisticsWidth);
      const [states, references] = [matrix(1, 4, width).values, matrix(3, 4, width).values];
      lmHeadLogProbsOp.cpu(
        [states, weight, Int32Array.from(sizes.labels), references],
        [statistics],
        [[4, width], shape, [4], [4, width]],
        attrs,
      );
      naiveStatistics(head).forEach((expected, row) => {
        const start = row * statisticsWidth;
        const actual = statistics.subarray(start, start + statisticsWidth);
        expect(worstDifference(actual, expected)).toBeLessThan(1e-11);
      });
    }
  });

  it("folds more than 65,535 workgroups", () => {
    const attrs = headAttrs(1);
    const { workgroups, uniforms } = lmHeadLogProbsOp.dispatch([[262_149, 1], [3, 1], [262_149]], attrs);
    expect(workgroups).toEqual([65_535, 2, 1]);
    expect(uniforms).toEqual({ rows: 262_149 });
  });

  it("refuses tensors that do not fit together", () => {
    const shapes = (...all: number[][]) => lmHeadLogProbsOp.outputShapes(all, headAttrs(5));
    expect(shapes([4, 5], [13, 5], [4])).toEqual([[4, statisticsWidth]]);
    expect(() => shapes([4, 5], [13, 6], [4])).toThrow(ShapeError);
    expect(() => shapes([4, 5], [13, 5], [3])).toThrow(ShapeError);
    const withReference = headAttrs(5, { hasReference: true });
    expect(() => lmHeadLogProbsOp.outputShapes([[4, 5], [13, 5], [4], [3, 5]], withReference)).toThrow(
      ShapeError,
    );
    const vectorised = headAttrs(8);
    expect(() => lmHeadLogProbsOp.outputShapes([[4, 5], [13, 5], [4]], vectorised)).toThrow(ShapeError);
    const packed = headAttrs(5, { layout: "q8" });
    expect(lmHeadLogProbsOp.outputShapes([[4, 5], [13, 9], [4]], packed)).toEqual([[4, statisticsWidth]]);
    expect(() => lmHeadLogProbsOp.outputShapes([[4, 5], [13, 5], [4]], packed)).toThrow(ShapeError);
  });
});
