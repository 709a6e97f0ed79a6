import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrap, firstStepReaching, judgeChanges } from "./statistics.mjs";

test("the interval of a constant is that constant", () => {
  assert.deepEqual(bootstrap([2, 2, 2]), { mean: 2, low: 2, high: 2 });
});

test("the interval of a mean is near mean ± 1.96 standard errors", () => {
  const values = Array.from({ length: 400 }, (_, index) => Math.sin(index * 12.9898) * 2);
  const { mean, low, high } = bootstrap(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const half = 1.96 * Math.sqrt(variance / values.length);
  assert.ok(Math.abs(low - (mean - half)) < 0.1 * half);
  assert.ok(Math.abs(high - (mean + half)) < 0.1 * half);
});

test("changes are paired by prompt and leave greedy answers out", () => {
  const sample = (prompt, judgeScore, mode = "seeded") => ({ prompt, judgeScore, mode });
  const changes = judgeChanges({
    samplesBefore: [sample("a", 0), sample("b", 0.5), sample("a", 9, "greedy")],
    samplesAfter: [sample("b", 1), sample("a", -1), sample("a", 9, "greedy")],
  });
  assert.deepEqual(changes, [0.5, -1]);
});

test("the first step that reaches a value is found, or none", () => {
  const evaluations = [
    { step: 0, m: 0.5 },
    { step: 20, m: 0.8 },
    { step: 40, m: 0.7 },
  ];
  assert.equal(firstStepReaching(evaluations, "m", 0.8), 20);
  assert.equal(firstStepReaching(evaluations, "m", 0.9), null);
});
