import { expect, it } from "vitest";
import { testRounds } from "../../../state/testOnlineAnswers.ts";
import { droppedByReason, gapBins, gapsOf, weightFigures, weightingOf } from "./roundGaps.ts";

it("takes the gaps of the pairs that are trained on", () => {
  expect(gapsOf(testRounds[0]!)).toEqual([1]);
  // 0.8 − (−0.5): the second prompt has no pair.
  expect(gapsOf(testRounds[1]!)).toEqual([1.3]);
});

it("puts every gap into one bin, the largest into the last", () => {
  const gaps = [0, 0.1, 0.1, 0.8, 1.6];
  const { edges, counts } = gapBins(gaps);
  expect([edges[0], edges.at(-1)]).toEqual([0, Math.fround(1.6)]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(gaps.length);
  expect(counts.at(-1)).toBe(1);
  // Bins are 0.1 wide: 0 in the first, 0.1 twice in the second.
  expect([counts[0], counts[1]]).toEqual([1, 2]);
});

it("has bins where all gaps are equal, negative, or none", () => {
  expect(gapBins([0, 0]).counts[0]).toBe(2);
  expect(gapBins([-1, 1]).edges[0]).toBe(-1);
  expect(gapBins([]).counts.every((count) => count === 0)).toBe(true);
});

it("weighs as weighted DPO does: σ(β₂ · gap), or β₂ · gap from 0 on", () => {
  const setup = { method: "wdpo", secondMethod: "", params: { beta2: 2, weighting: 0 } };
  // σ(2 · 0.5) = 1 / (1 + e⁻¹) = 0.731059
  expect(weightingOf(setup)!.weigh(0.5)).toBeCloseTo(0.731059, 6);
  expect(weightingOf(setup)!.weigh(0)).toBe(0.5);
  const linear = weightingOf({ ...setup, params: { beta2: 2, weighting: 1 } })!;
  expect([linear.weigh(-1), linear.weigh(0.25)]).toEqual([0, 0.5]);
});

it("knows which setups weigh every pair alike, and finds the knobs of a second method", () => {
  const params = { beta2: 2, "second.beta2": 3, "second.weighting": 1 };
  expect(weightingOf({ method: "dpo", secondMethod: "", params })).toBeNull();
  expect(weightingOf({ method: "wdpo", secondMethod: "", params: { beta2: 2, weighting: 2 } })).toBeNull();
  expect(weightingOf({ method: "wdpo", secondMethod: "", params: { beta2: 2, weighting: 3 } })).toBeNull();
  expect(weightingOf({ method: "dpo", secondMethod: "wdpo", params })!.weigh(1)).toBe(3);
});

it("counts effective pairs: all of equal weights, one of a weight that stands alone", () => {
  expect(weightFigures([0.5, 0.5, 0.5, 0.5])).toEqual({ mean: 0.5, effective: 4 });
  expect(weightFigures([1, 0, 0])!.effective).toBe(1);
  // (1 + 3)² / (1 + 9) = 1.6
  expect(weightFigures([1, 3])!.effective).toBeCloseTo(1.6, 12);
  expect(weightFigures([0, 0])!.effective).toBe(0);
  expect(weightFigures([])).toBeNull();
});

it("counts prompts without a new pair by reason, most first", () => {
  const [prompt] = testRounds[0]!.prompts;
  const reasons = ["equalTexts", "", "judgeFailed", "judgeFailed"] as const;
  const record = { ...testRounds[0]!, prompts: reasons.map((reason) => ({ ...prompt!, reason })) };
  expect(droppedByReason(record)).toEqual([
    { reason: "a judge failed", prompts: 2 },
    { reason: "equal texts", prompts: 1 },
  ]);
});
