import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseRate, commonLevel, firstAt, pointsOf, studentT, tInterval, verdict } from "./arithmetic.mjs";

const near = (value, expected, within = 1e-9) =>
  assert.ok(Math.abs(value - expected) <= within, `${value} is not ${expected}`);

describe("the t interval", () => {
  test("has the quantiles of printed tables", () => {
    for (const [freedom, t] of [
      [1, 12.706],
      [2, 4.303],
      [4, 2.776],
      [9, 2.262],
      [29, 2.045],
    ])
      near(studentT(freedom), t, 6e-4);
    // One degree of freedom is Cauchy's distribution: its quantile is a tangent.
    near(studentT(1), Math.tan(0.475 * Math.PI), 1e-6);
  });

  test("of 1, 2, 3, 4, 5 is 3 ± 2.776 · √(2.5 / 5)", () => {
    // Squared distances from 3 are 4, 1, 0, 1, 4: the variance is 10 / 4.
    const { mean, half } = tInterval([1, 2, 3, 4, 5]);
    assert.equal(mean, 3);
    near(half, 2.776 * Math.sqrt(0.5), 1e-3);
  });

  test("of one value is none, of equal values nothing wide", () => {
    assert.deepEqual(tInterval([2]), { mean: 2, half: null });
    assert.deepEqual(tInterval([2, 2, 2]), { mean: 2, half: 0 });
  });

  test("decides a difference only when 0 lies outside", () => {
    assert.equal(verdict({ mean: -0.3, half: 0.2 }), "smaller");
    assert.equal(verdict({ mean: 0.3, half: 0.2 }), "larger");
    assert.equal(verdict({ mean: -0.2, half: 0.2 }), "not distinguishable");
    assert.equal(verdict({ mean: -9, half: null }), "not distinguishable");
  });
});

describe("the choice of the learning rate", () => {
  test("goes by the judge, then by accuracy, then by order", () => {
    const [slow, middle, fast] = [
      { rate: 1, judge: 0.5, accuracy: 0.9 },
      { rate: 2, judge: 0.6, accuracy: 0.7 },
      { rate: 3, judge: 0.6, accuracy: 0.8 },
    ];
    assert.equal(chooseRate([slow, middle, fast]), fast);
    assert.equal(chooseRate([slow, middle]), middle);
    assert.equal(chooseRate([middle, { ...middle, rate: 9 }]), middle);
  });

  test("leaves out runs that did not come to their end", () => {
    const left = { rate: 1, judge: -0.5, accuracy: 0.5 };
    assert.equal(chooseRate([{ rate: 2, judge: NaN, accuracy: NaN }, left]), left);
    assert.throws(() => chooseRate([{ rate: 2, judge: NaN, accuracy: NaN }]), /No learning rate/);
  });
});

describe("KL at equal accuracy", () => {
  const evaluation = (step, accuracy, chosen, rejected) => ({
    step,
    "eval_accuracies/logratio": accuracy,
    "eval_kl/chosen": chosen,
    "eval_kl/rejected": rejected,
  });
  const points = pointsOf(
    [
      evaluation(0, 0, 0, 0),
      evaluation(10, 0.7, 0.2, 0.4),
      evaluation(20, 0.9, 0.6, 1),
      evaluation(30, 0.8, 2, 2),
    ],
    "eval_kl/",
  );

  test("counts the ties of the untouched model as halves", () => {
    assert.deepEqual(points[0], { accuracy: 0.5, chosen: 0, rejected: 0, mean: 0 });
  });

  test("lies on the line between two evaluations, at the first crossing", () => {
    // 0.85 is three quarters of the way from 0.7 to 0.9.
    const found = firstAt(points, 0.85);
    near(found.chosen, 0.5);
    near(found.rejected, 0.85);
    near(found.mean, 0.675);
    // 0.6 is half of the way from the untouched 0.5 to 0.7.
    near(firstAt(points, 0.6).chosen, 0.1);
  });

  test("is that of the evaluation which meets the level, and none where none does", () => {
    near(firstAt(points, 0.9).chosen, 0.6);
    assert.equal(firstAt(points, 0.5).chosen, 0);
    assert.equal(firstAt(points, 0.95), null);
  });

  test("is compared at the smaller of the best accuracies, up to the cap", () => {
    const lower = points.slice(0, 2);
    assert.equal(commonLevel([points, lower], 0.85), 0.7);
    assert.equal(commonLevel([points, points], 0.85), 0.85);
  });
});
