import { expect, it } from "vitest";
import { tinyConfig } from "../testing/tinyModel.ts";
import { heldoutBatches, largestBatches } from "./batches.ts";
import { defaultConfig, type RunConfig } from "./config.ts";

const pair = (length: number, row: number) => {
  const answer = new Int32Array(length).fill(3);
  return { prompt: Int32Array.of(1, 5), chosen: answer, rejected: answer, row };
};

/** Row counts and keeps of the largest batches of a run over single pairs with answers of these lengths. */
function largestOf(lengths: readonly number[], changes: Partial<RunConfig> = {}, hiddenSize = 16) {
  const config = { ...defaultConfig, batchPairs: 1, steps: lengths.length, ...changes };
  const pairs = lengths.map(pair);
  const pairsOf = (step: number) => pairs.slice(step - 1, step);
  return largestBatches({ ...tinyConfig, hiddenSize }, config, { pairsOf }).map(({ flat, keeps }) => [
    flat.tokenIds.length,
    keeps,
  ]);
}

it("is one batch where all keep their layers alike", () => {
  expect(largestOf([3, 9, 5])).toEqual([[20, "everything"]]);
  expect(largestOf([3, 9, 5], { sharesPrompts: false })).toEqual([[22, "everything"]]);
  expect(largestOf([3, 9, 5], { checkpointing: "on" }, 1e6)).toEqual([[20, "layerInputs"]]);
  expect(largestOf([3, 9, 5], { checkpointing: "off" }, 1e6)).toEqual([[20, "everything"]]);
});

it("is also the largest that keeps its layers whole, where larger ones do not", () => {
  // Layers of up to 15 rows fit into 256 MB.
  const found = largestOf([3, 9, 5, 8, 4], {}, 520_000);
  expect(found).toEqual([
    [20, "layerInputs"],
    [12, "everything"],
  ]);
});

it("leaves out the steps before the first one", () => {
  const pairsOf = (step: number) => [pair(20 - step, step)];
  const config = { ...defaultConfig, batchPairs: 1, steps: 6 };
  const rowsFrom = (firstStep: number) =>
    largestBatches(tinyConfig, config, { pairsOf, firstStep }).map(({ flat }) => flat.tokenIds.length);
  expect(rowsFrom(4)).toEqual([34]);
  expect(rowsFrom(7)).toEqual([]);
});

it("lays held-out pairs out so that none is left alone", () => {
  const sizes = (count: number, batchPairs: number) =>
    heldoutBatches(
      { batchPairs },
      Array.from({ length: count }, (_, row) => pair(3, row)),
    ).map(({ length }) => length);
  expect(sizes(8, 4)).toEqual([4, 4]);
  expect(sizes(10, 4)).toEqual([4, 4, 2]);
  expect(sizes(9, 4)).toEqual([4, 5]);
  expect(sizes(3, 2)).toEqual([3]);
  expect(sizes(3, 1)).toEqual([1, 1, 1]);
  expect(sizes(1, 4)).toEqual([1]);
});
