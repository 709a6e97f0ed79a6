import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { openTestDevice, parity, randomValues } from "../../tensor/testing.ts";
import { packRows, unpackRow, weightLayouts } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { headStatistics } from "./lmHeadLogProbs.cpu.ts";
import {
  headAttrs,
  lmHeadHiddenGradientOp,
  lmHeadLogProbs,
  lmHeadLogProbsOp,
  lmHeadWeightGradientOp,
  statisticColumn,
  statisticsWidth,
} from "./lmHeadLogProbs.ts";

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly hasReference: boolean;
  /** Standard deviation of the logits, roughly. */
  readonly spread?: number;
  readonly softCap?: number;
  readonly layout?: WeightLayout;
}

/** A weight as it is bound, and the values it holds. */
function weightOf({ width, vocabulary, layout = "f32" }: Case) {
  const values = randomValues(2, [vocabulary, width]);
  if (layout === "f32") return { weight: { values, shape: [vocabulary, width] }, unpacked: values };
  const words = packRows(values, [vocabulary, width], layout);
  const unpacked = new Float32Array(vocabulary * width);
  for (let row = 0; row < vocabulary; row++) {
    unpacked.set(unpackRow(words, row, width, layout), row * width);
  }
  return { weight: { values: words, shape: [vocabulary, words.length / vocabulary] }, unpacked };
}

function inputsOf(testCase: Case) {
  const { rows, width, vocabulary, hasReference, spread = 2 } = testCase;
  const states = (seed: number) => ({
    values: randomValues(seed, [rows, width], spread / Math.sqrt(width)),
    shape: [rows, width],
  });
  const hidden = states(1);
  // The first row predicts the last token; every fifth row is not scored.
  const labels = {
    values: Int32Array.from({ length: rows }, (_, row) =>
      row % 5 === 4 ? -1 : (row * 31 + vocabulary - 1) % vocabulary,
    ),
    shape: [rows],
  };
  const reference = hasReference ? states(3) : undefined;
  return { hidden, ...weightOf(testCase), labels, reference };
}

/** Inputs of the forward and of the backward operations, with the tolerances of a case. */
function setupOf(testCase: Case) {
  const { rows, width, vocabulary, hasReference, layout = "f32", softCap = 0 } = testCase;
  const { hidden, weight, unpacked, labels, reference } = inputsOf(testCase);
  const attrs = headAttrs(width, { hasReference, layout, softCap });
  const inputs = [hidden, weight, labels, ...(reference ? [reference] : [])];
  const statistics = new Float32Array(rows * statisticsWidth);
  const arrays = {
    hidden: hidden.values,
    weight: unpacked,
    labels: labels.values,
    softCap,
    rows,
    width,
    vocabulary,
  };
  headStatistics(reference ? { ...arrays, reference: reference.values } : arrays, statistics);
  const shape = [rows, statisticsWidth];
  const backward = [...inputs, { values: statistics, shape }, { values: randomValues(4, shape), shape }];
  const summed = Math.max(rows, width);
  return {
    inputs,
    backward,
    attrs,
    name: JSON.stringify(testCase),
    tolerance: 1e-5 * Math.sqrt(width),
    summed,
  };
}

const packedLayouts = weightLayouts.filter((layout) => layout !== "f32");
const packedSizes = { rows: 7, width: 64, vocabulary: 301, hasReference: true, softCap: 6 };

describe("lmHeadLogProbs on WebGPU", () => {
  it.each<Case>([
    { rows: 3, width: 37, vocabulary: 65, hasReference: true },
    { rows: 250, width: 96, vocabulary: 768, hasReference: false },
    { rows: 9, width: 64, vocabulary: 2003, hasReference: true },
    // Logits of about ±80.
    { rows: 13, width: 37, vocabulary: 65, hasReference: true, spread: 40 },
    { rows: 6, width: 1030, vocabulary: 9, hasReference: false },
    { rows: 13, width: 37, vocabulary: 65, hasReference: true, spread: 40, softCap: 30 },
    { rows: 9, width: 64, vocabulary: 301, hasReference: false, spread: 10, softCap: 5 },
  ])("has the oracle's values and gradients for %o", async (testCase) => {
    const { inputs, backward, attrs, name, tolerance, summed } = setupOf(testCase);
    await parity(lmHeadLogProbsOp, { name, inputs, attrs, tolerance });
    await parity(lmHeadHiddenGradientOp, { name, inputs: backward, attrs, tolerance: 4 * tolerance });
    await parity(lmHeadWeightGradientOp, {
      name,
      inputs: backward,
      attrs,
      tolerance: 4e-5 * Math.sqrt(summed),
    });
  });

  // A pipeline takes a second to build on a software GPU, and the table's gather proves the readers at every width.
  it.each<Case>([
    ...packedLayouts.map((layout) => ({ ...packedSizes, layout })),
    { rows: 3, width: 37, vocabulary: 65, hasReference: false, layout: "bf16" },
    { rows: 3, width: 37, vocabulary: 65, hasReference: false, layout: "q4s" },
    // The width of SmolLM2-135M.
    { rows: 5, width: 576, vocabulary: 67, hasReference: false, layout: "q8" },
  ])("has the oracle's values and gradients over a packed weight, %o", async (testCase) => {
    const { inputs, backward, attrs, name, tolerance } = setupOf(testCase);
    await parity(lmHeadLogProbsOp, { name, inputs, attrs, tolerance });
    await parity(lmHeadHiddenGradientOp, { name, inputs: backward, attrs, tolerance: 4 * tolerance });
  });

  it.each(["f32", "f16", "q4m"] as const)("covers a vocabulary of 50,001 in %s", async (layout) => {
    const sizes = { rows: 2, width: 8, vocabulary: 50_001, hasReference: false, layout, softCap: 30 };
    const { inputs, backward, attrs, tolerance } = setupOf(sizes);
    await parity(lmHeadLogProbsOp, { name: "50,001", inputs, attrs, tolerance });
    await parity(lmHeadHiddenGradientOp, {
      name: "50,001",
      inputs: backward,
      attrs,
      tolerance: 4 * tolerance,
    });
  });

  it("has a KL of exactly 0 to itself, both ways", async () => {
    await openTestDevice("webgpu");
    const { hidden, weight, labels } = inputsOf({
      rows: 21,
      width: 96,
      vocabulary: 768,
      hasReference: false,
    });
    const tensors = {
      hidden: tensor(hidden.values, hidden.shape),
      reference: tensor(hidden.values, hidden.shape),
      weight: tensor(weight.values, weight.shape),
      labels: tensor(labels.values, labels.shape),
    };
    const output = lmHeadLogProbs(tensors);
    const statistics = await read(output);
    for (let row = 0; row < 21; row++) {
      expect(statistics[row * statisticsWidth + statisticColumn.kl]).toBe(0);
      expect(statistics[row * statisticsWidth + statisticColumn.reverseDivergence]).toBe(0);
    }
    for (const each of [...Object.values(tensors), output]) each.dispose();
  });
});
