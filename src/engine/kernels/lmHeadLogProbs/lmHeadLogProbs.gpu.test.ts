import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { openTestDevice, parity, randomValues } from "../../tensor/testing.ts";
import { headStatistics } from "./lmHeadLogProbs.cpu.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  lmHeadLogProbsOp,
  lmHeadWeightGradient,
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
}

function inputsOf({ rows, width, vocabulary, hasReference, spread = 2 }: Case) {
  const states = (seed: number) => ({
    values: randomValues(seed, [rows, width], spread / Math.sqrt(width)),
    shape: [rows, width],
  });
  const hidden = states(1);
  const weight = { values: randomValues(2, [vocabulary, width]), shape: [vocabulary, width] };
  // The first row predicts the last token; every fifth row is not scored.
  const labels = {
    values: Int32Array.from({ length: rows }, (_, row) =>
      row % 5 === 4 ? -1 : (row * 31 + vocabulary - 1) % vocabulary,
    ),
    shape: [rows],
  };
  const reference = hasReference ? states(3) : undefined;
  return { hidden, weight, labels, reference };
}

/** Inputs of the forward and of the backward operations, with the tolerances of a case. */
function setupOf(testCase: Case) {
  const { rows, width, vocabulary, hasReference } = testCase;
  const { hidden, weight, labels, reference } = inputsOf(testCase);
  const attrs = { hasReference, vectorised: width % 4 === 0 };
  const inputs = [hidden, weight, labels, ...(reference ? [reference] : [])];
  const statistics = new Float32Array(rows * statisticsWidth);
  const arrays = {
    hidden: hidden.values,
    weight: weight.values,
    labels: labels.values,
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

describe("lmHeadLogProbs on WebGPU", () => {
  it.each<Case>([
    { rows: 3, width: 37, vocabulary: 65, hasReference: true },
    { rows: 250, width: 96, vocabulary: 768, hasReference: false },
    { rows: 9, width: 64, vocabulary: 2003, hasReference: true },
    // Logits of about ±80.
    { rows: 13, width: 37, vocabulary: 65, hasReference: true, spread: 40 },
    { rows: 6, width: 1030, vocabulary: 9, hasReference: false },
  ])("has the oracle's values and gradients for %o", async (testCase) => {
    const { inputs, backward, attrs, name, tolerance, summed } = setupOf(testCase);
    await parity(lmHeadLogProbsOp, { name, inputs, attrs, tolerance });
    await parity(lmHeadHiddenGradient, { name, inputs: backward, attrs, tolerance: 4 * tolerance });
    await parity(lmHeadWeightGradient, {
      name,
      inputs: backward,
      attrs,
      tolerance: 4e-5 * Math.sqrt(summed),
    });
  });

  it("covers a vocabulary of 50,000", async () => {
    const { hidden, weight, labels } = inputsOf({
      rows: 1,
      width: 8,
      vocabulary: 50_000,
      hasReference: false,
    });
    const attrs = { hasReference: false, vectorised: true };
    await parity(lmHeadLogProbsOp, {
      name: "50,000",
      inputs: [hidden, weight, labels],
      attrs,
      tolerance: 3e-5,
    });
  });

  it("has a KL of exactly 0 to itself", async () => {
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
    for (let row = 0; row < 21; row++) expect(statistics[row * statisticsWidth + statisticColumn.kl]).toBe(0);
    for (const each of [...Object.values(tensors), output]) each.dispose();
  });
});
