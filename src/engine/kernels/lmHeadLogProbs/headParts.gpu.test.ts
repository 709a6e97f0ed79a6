import { describe, expect, it } from "vitest";
import type { Values } from "../../tensor/op.ts";
import { dispose, read } from "../../tensor/run.ts";
import { compare, openTestDevice, parity, randomValues } from "../../tensor/testing.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { packRows, wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import {
  lmHeadFinishOp,
  lmHeadHiddenGradientPartOp,
  lmHeadPartOp,
  lmHeadWeightGradientPartOp,
} from "./headParts.ts";
import { columnCases, expectDefinedColumns } from "./headColumns.testing.ts";
import { headRunning, runningWidth } from "./headParts.cpu.ts";
import { shardedHead } from "./headParts.testing.ts";
import type { ShardedCase } from "./headParts.testing.ts";
import { headAttrs } from "./headInputs.ts";
import type { HeadInputs } from "./headInputs.ts";
import { lmHeadHiddenGradient, lmHeadLogProbs, statisticColumn, statisticsWidth } from "./lmHeadLogProbs.ts";

interface Case {
  readonly rows: number;
  readonly width: number;
  /** Rows of the shard, which is the second of three such. */
  readonly height: number;
  readonly hasReference: boolean;
  readonly softCap: number;
  readonly layout: WeightLayout;
}

/** Inputs of the operations on a part that begins and ends within a shard, after an earlier part. */
function setupOf({ rows, width, height, hasReference, softCap, layout }: Case) {
  const input = (seed: number, shape: number[], spread = 1) => ({
    values: randomValues(seed, shape, spread),
    shape,
  });
  const states = (seed: number) => input(seed, [rows, width], 2 / Math.sqrt(width));
  const plain = randomValues(2, [height, width]);
  const words = packRows(plain, [height, width], layout);
  const weight = { values: layout === "f32" ? plain : words, shape: [height, wordsPerRow(layout, width)] };
  const range = { first: height, start: 3, end: height - 2, vocabulary: 3 * height };
  // Labels before, on both ends of, within and after the part; every seventh row is not scored.
  const places = [
    0,
    height + 3,
    2 * height - 3,
    height + Math.floor(height / 2),
    2 * height - 2,
    3 * height - 1,
    -1,
  ];
  const labels = Int32Array.from({ length: rows }, (_, row) => places[row % places.length]!);
  const [hidden, reference] = [states(1), states(3)];
  const inputs = [hidden, weight, { values: labels, shape: [rows] }, ...(hasReference ? [reference] : [])];
  const running = new Float32Array(rows * runningWidth(hasReference));
  // The first rows of the shard before stand for all that was merged earlier.
  const earlier = { hidden: hidden.values, weight: plain, labels, softCap, rows, width, vocabulary: 4 };
  headRunning(hasReference ? { ...earlier, reference: reference.values } : earlier, running);
  const statistics = input(4, [rows, statisticsWidth]);
  // A log-sum-exp above all logits, as in a real head, keeps the probabilities below 1.
  statistics.values.forEach((_, index) => {
    if (index % statisticsWidth >= statisticColumn.logSumExp) statistics.values[index] = Math.log(height) + 6;
  });
  return {
    attrs: { ...headAttrs(width, { hasReference, softCap, layout }), ...range },
    inputs,
    running: { values: running, shape: [rows, runningWidth(hasReference)] },
    labels: { values: labels, shape: [rows] },
    backward: [...inputs, statistics, input(5, [rows, statisticsWidth])],
  };
}

const sizes = { rows: 9, width: 36, height: 301, hasReference: true, softCap: 6 };

describe("a part of a head on WebGPU", () => {
  it.each<Case>([
    { ...sizes, layout: "f32" },
    { ...sizes, layout: "f32", hasReference: false, softCap: 0, rows: 70, width: 37, height: 65 },
    { ...sizes, layout: "f32", width: 1030, height: 30, hasReference: false },
    { ...sizes, layout: "q4m" },
    { ...sizes, layout: "f16", hasReference: false },
  ])("merges and passes back as the oracle does, %o", async (testCase) => {
    const { attrs, inputs, running, labels, backward } = setupOf(testCase);
    const { rows, width, height, layout, hasReference } = testCase;
    const name = JSON.stringify(testCase);
    const tolerance = 1e-5 * Math.sqrt(width);
    const empty = { values: new Float32Array(running.values.length), shape: running.shape };
    await parity(lmHeadPartOp, { name: `first ${name}`, inputs: [...inputs, empty], attrs, tolerance });
    await parity(lmHeadPartOp, { name, inputs: [...inputs, running], attrs, tolerance });
    const finish = { hasReference, vocabulary: 3 * height };
    await parity(lmHeadFinishOp, { name, inputs: [running, labels], attrs: finish, tolerance: 1e-5 });
    const begun = { values: randomValues(6, [rows, width]), shape: [rows, width] };
    await parity(lmHeadHiddenGradientPartOp, {
      name,
      inputs: [...backward, begun],
      attrs,
      tolerance: 4 * tolerance,
    });
    if (layout !== "f32") return;
    const rest = { values: randomValues(7, [height, width]), shape: [height, width] };
    await parity(lmHeadWeightGradientPartOp, {
      name,
      inputs: [...backward, rest],
      attrs,
      tolerance: 4e-5 * Math.sqrt(Math.max(rows, width)),
    });
  });
});

/** Statistics, then the gradient of the hidden states. */
async function resultsOf(head: HeadInputs, upstream: Tensor): Promise<Values[]> {
  const statistics = lmHeadLogProbs(head);
  const gradient = lmHeadHiddenGradient(head, statistics, upstream);
  const results = [await read(statistics), await read(gradient)];
  dispose([statistics, gradient]);
  return results;
}

async function expectSameInShards(testCase: ShardedCase): Promise<void> {
  const device = await openTestDevice("webgpu");
  const { whole, sharded, upstream, tensors } = shardedHead(testCase);
  const expected = await resultsOf(whole, upstream);
  const before = device.counters().dispatches;
  const actual = await resultsOf(sharded, upstream);
  // One for each shard and one that finishes; one for each shard on the way back.
  expect(device.counters().dispatches - before).toBe(2 * sharded.weight.shards.length + 1);
  actual.forEach((values, index) => {
    compare(values, expected[index], { label: `${testCase.layout}, result ${index}`, tolerance: 1e-5 });
  });
  dispose(tensors);
}

describe("a head on WebGPU", () => {
  it.each(columnCases)(
    "has every statistic by its definition, in one piece and in parts, %o",
    async (each) => {
      await openTestDevice("webgpu");
      await expectDefinedColumns(each);
    },
  );
});

describe("a head in shards on WebGPU", () => {
  // The cpu has all layouts; here, one of each way to read words.
  it.each(["f32", "f16", "q8"] as const)("gives what it gives in one piece, in %s", async (layout) => {
    await expectSameInShards({ width: 36, vocabulary: 1003, layout, shardRows: 300, softCap: 6 });
  });

  it.each(["q4m"] as const)("does so for rows of odd length, in %s", async (layout) => {
    await expectSameInShards({ width: 37, vocabulary: 67, layout, shardRows: 30, hasReference: false });
  });

  it("covers a vocabulary of 151,936", async () => {
    const large = { width: 8, vocabulary: 151_936, shardRows: 60_000, hasReference: false } as const;
    await expectSameInShards({ ...large, layout: "f16" });
  });
});
