import { beforeEach, describe, expect, it } from "vitest";
import { ShapeError } from "../../tensor/op.ts";
import type { Floats, Values } from "../../tensor/op.ts";
import { dispose, memory, read, tensor } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import { valueAndVjp } from "../../tensor/vjp.ts";
import { weightLayouts } from "../weightLayout/weightLayout.ts";
import {
  lmHeadFinishOp,
  lmHeadHiddenGradientPartOp,
  lmHeadPartOp,
  lmHeadWeightGradientPartOp,
  partsOf,
} from "./headParts.ts";
import { boundaryLabels, shardedHead } from "./headParts.testing.ts";
import { columnCases, expectDefinedColumns } from "./headColumns.testing.ts";
import { runningWidth } from "./headParts.cpu.ts";
import { headAttrs } from "./headInputs.ts";
import type { HeadInputs } from "./headInputs.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  lmHeadWeightGradient,
  statisticColumn,
  statisticsWidth,
} from "./lmHeadLogProbs.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

/** Statistics, then the gradient of the hidden states. */
async function resultsOf(head: HeadInputs, upstream: HeadInputs["hidden"]): Promise<Values[]> {
  const statistics = lmHeadLogProbs(head);
  const gradient = lmHeadHiddenGradient(head, statistics, upstream);
  const results = [await read(statistics), await read(gradient)];
  dispose([statistics, gradient]);
  return results;
}

function expectWithin(tolerance: number, actual: Values | undefined, expected: Values | undefined): void {
  compare(actual ?? new Float32Array(), expected, { label: "result", tolerance });
}

function expectClose(actual: readonly Values[], expected: readonly Values[]): void {
  actual.forEach((values, index) => {
    expectWithin(1e-5, values, expected[index]);
  });
}

describe("a head in shards", () => {
  it.each(weightLayouts)("gives what it gives in one piece, in %s", async (layout) => {
    for (const width of [5, 36]) {
      for (const hasReference of [true, false]) {
        for (const softCap of [0, 3]) {
          const testCase = { width, vocabulary: 43, layout, shardRows: 11, hasReference, softCap };
          const { whole, sharded, upstream, tensors } = shardedHead(testCase);
          expect(sharded.weight.shards.map(({ outputs }) => outputs)).toEqual([11, 11, 11, 10]);
          const before = memory().numTensors;
          expectClose(await resultsOf(sharded, upstream), await resultsOf(whole, upstream));
          // Parts that end within a shard.
          expectClose(
            await resultsOf({ ...sharded, entriesAtOnce: 4 }, upstream),
            await resultsOf(whole, upstream),
          );
          expect(memory().numTensors).toBe(before);
          dispose(tensors);
        }
      }
    }
  });

  it("stays finite when the logits of a later shard lead by 160", async () => {
    const labels = tensor(Int32Array.of(0, 3), [2]);
    const hidden = tensor([80, -80], [2, 1]);
    const reference = tensor([-80, 80], [2, 1]);
    const weight = tensor([-1, 0, 0, 1], [4, 1]);
    const statistics = lmHeadLogProbs({ hidden, reference, weight, labels, entriesAtOnce: 1 });
    const row = [-160, 0, 160, 0, 80, 80, 0, 160, 0];
    expectWithin(1e-6, await read(statistics), Float32Array.from([...row, ...row]));
    dispose([labels, hidden, reference, weight, statistics]);
  });

  it("has a KL of exactly 0 to itself, both ways", async () => {
    const { sharded, tensors } = shardedHead({ width: 8, vocabulary: 43, layout: "f32", shardRows: 11 });
    const statistics = lmHeadLogProbs({ ...sharded, reference: sharded.hidden });
    const values = await read(statistics);
    for (const column of [statisticColumn.kl, statisticColumn.reverseDivergence]) {
      const divergences = [...values].filter((_, index) => index % statisticsWidth === column);
      expect(divergences.every((value) => value === 0)).toBe(true);
    }
    dispose([...tensors, statistics]);
  });

  it("has no gradient of its weight, and none for a tape", () => {
    const testCase = { width: 8, vocabulary: 43, layout: "f32", shardRows: 11 } as const;
    const { sharded, upstream, tensors } = shardedHead(testCase);
    expect(() => lmHeadWeightGradient(sharded, upstream, upstream)).toThrow("4 shards is frozen");
    expect(() => valueAndVjp(() => [lmHeadLogProbs(sharded)], [sharded.hidden], [upstream])).toThrow(
      "no path",
    );
    dispose(tensors);
  });
});

describe("a head in parts", () => {
  it.each(columnCases)("has every statistic by its definition, as in one piece, %o", async (each) => {
    await expectDefinedColumns(each);
  });

  const sizes = { width: 5, vocabulary: 11, layout: "f32", shardRows: 4 } as const;

  it("gives the gradient of its weight as in one piece", async () => {
    const { whole, upstream, tensors } = shardedHead(sizes);
    const head = { ...whole, weight: whole.weight.words };
    const statistics = lmHeadLogProbs(head);
    const inParts = { ...head, entriesAtOnce: 3 };
    const gradients = [head, inParts].map((each) => lmHeadWeightGradient(each, statistics, upstream));
    const [expected, actual] = await Promise.all(gradients.map(read));
    expectWithin(1e-5, actual, expected);
    dispose([...tensors, ...gradients, statistics]);
  });

  it.each([
    [true, 0],
    [false, 0],
    [true, 3],
    [false, 3],
  ])("has the gradients of central differences (reference: %s, soft cap: %f)", (hasReference, softCap) => {
    const { width, vocabulary } = sizes;
    const labels = boundaryLabels(sizes);
    const rows = labels.length;
    const random = (seed: number, shape: number[]) => Float64Array.from(randomValues(seed, shape));
    const weights = random(2, [vocabulary, width]);
    const reference = hasReference ? [random(3, [rows, width])] : [];
    const upstream = random(4, [rows, statisticsWidth]);
    const attrs = headAttrs(width, { hasReference, softCap });
    const shards = [
      { first: 0, start: 0, end: 3, vocabulary },
      { first: 0, start: 3, end: 4, vocabulary },
      { first: 4, start: 0, end: 7, vocabulary },
    ];
    const weightOf = ({ first }: { first: number }, from: Float64Array) =>
      first === 0 ? from.subarray(0, 4 * width) : from.subarray(4 * width);
    const shapesOf = ({ first }: { first: number }) => [[rows, width], [first === 0 ? 4 : 7, width], [rows], ...reference.map(() => [rows, width])]; // prettier-ignore
    const runningShape = [rows, runningWidth(hasReference)];
    const statisticsOf = (hidden: Floats): Float64Array => {
      const running = new Float64Array(rows * runningShape[1]!);
      for (const part of shards) {
        const inputs = [hidden, weightOf(part, weights), labels, ...reference, running];
        lmHeadPartOp.cpu(inputs, [], [...shapesOf(part), runningShape], { ...attrs, ...part });
      }
      const statistics = new Float64Array(rows * statisticsWidth);
      lmHeadFinishOp.cpu([running, labels], [statistics], [runningShape, [rows]], {
        hasReference,
        vocabulary,
      });
      return statistics;
    };
    const hidden = random(1, [rows, width]);
    const gradient = new Float64Array(hidden.length);
    const weightGradient = new Float64Array(weights.length);
    const statistics = statisticsOf(hidden);
    for (const part of shards) {
      const inputs = [hidden, weightOf(part, weights), labels, ...reference, statistics, upstream];
      const shapes = [...shapesOf(part), [rows, statisticsWidth], [rows, statisticsWidth]];
      const all = { ...attrs, ...part };
      lmHeadHiddenGradientPartOp.cpu([...inputs, gradient], [], [...shapes, [rows, width]], all);
      const own = weightOf(part, weightGradient);
      lmHeadWeightGradientPartOp.cpu([...inputs, own], [], [...shapes, [own.length / width, width]], all);
    }
    // The reference's log-sum-exp and what follows take no gradient, whatever upstream they are given.
    const objective = (): number =>
      statisticsOf(hidden).reduce((sum, value, index) => {
        const isConstant = index % statisticsWidth >= statisticColumn.referenceLogSumExp;
        return isConstant ? sum : sum + value * upstream[index]!;
      }, 0);
    const differences = (array: Float64Array) =>
      array.slice().map((start, index) => {
        const at = (value: number): number => {
          array[index] = value;
          return objective();
        };
        const difference = (at(start + 1e-5) - at(start - 1e-5)) / 2e-5;
        array[index] = start;
        return difference;
      });
    expectWithin(1e-7, gradient, differences(hidden));
    // The reference counts as a constant, although it is read through the same weight.
    if (!hasReference) {
      expectWithin(1e-7, weightGradient, differences(weights));
    }
  });

  it("is split where one dispatch would take long, and not where it is short", () => {
    const { whole, sharded, tensors } = shardedHead({
      width: 8,
      vocabulary: 1030,
      layout: "f32",
      shardRows: 600,
    });
    expect(partsOf(whole, 1)).toHaveLength(1);
    expect(partsOf(sharded, 1)).toHaveLength(2);
    // 2^33 multiply-adds are 2^10 entries of 2^23 numbers, or half as many with a reference or on the way back.
    const large = { ...whole, hidden: { size: 2 ** 23 } as HeadInputs["hidden"] };
    const { reference: _, ...alone } = large;
    const ends = (head: HeadInputs, products: number) => partsOf(head, products).map(({ end }) => end);
    expect(ends(alone, 1)).toEqual([1024, 1030]);
    expect(ends(alone, 2)).toEqual([512, 1024, 1030]);
    expect(ends(large, 1)).toEqual([512, 1024, 1030]);
    expect(
      partsOf({ ...sharded, entriesAtOnce: 300 }, 1).map(({ first, start, end }) => [first, start, end]),
    ).toEqual([
      [0, 0, 300],
      [0, 300, 515],
      [515, 0, 300],
      [515, 300, 515],
    ]);
    dispose(tensors);
  });

  it("refuses ranges outside of its weight and states of another size", () => {
    const shapes = [[4, 5], [13, 5], [4]];
    const part = { ...headAttrs(5), first: 13, start: 2, end: 13, vocabulary: 26 };
    const outputShapes = (changes: Partial<typeof part>, width = runningWidth(false)) =>
      lmHeadPartOp.outputShapes([...shapes, [4, width]], { ...part, ...changes });
    expect(outputShapes({})).toEqual([]);
    expect(() => outputShapes({}, runningWidth(true))).toThrow(ShapeError);
    expect(() => outputShapes({ end: 14 })).toThrow("2 to 14");
    expect(() => outputShapes({ vocabulary: 25 })).toThrow("25 tokens");
    const statistics = [4, statisticsWidth];
    const backward = [...shapes, statistics, statistics, [3, 5]];
    expect(() => lmHeadHiddenGradientPartOp.outputShapes(backward, part)).toThrow("[4, 5] is needed");
  });
});
