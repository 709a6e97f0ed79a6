import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BucketSeries, maxSeriesPoints, RunHistory } from "./series.ts";

function filled(values: readonly number[]): BucketSeries {
  const series = new BucketSeries();
  values.forEach((value, index) => {
    series.append(index + 1, value);
  });
  return series;
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });

describe("BucketSeries", () => {
  it("draws every value of a short run", () => {
    expect(filled([3, 1, 2]).points()).toEqual([
      { x: 1, y: 3 },
      { x: 2, y: 1 },
      { x: 3, y: 2 },
    ]);
  });

  it("keeps a single spike of a long run and stays within the drawing budget", () => {
    const values = Array.from({ length: 5000 }, (_, index) => (index === 2345 ? 10 : Math.sin(index / 90)));
    const points = filled(values).points();
    expect(points.length).toBeLessThanOrEqual(maxSeriesPoints);
    expect(points).toContainEqual({ x: 2346, y: 10 });
    expect(points.at(-1)).toEqual({ x: 5000, y: values[4999] });
  });

  it("never moves a point: what is drawn later was measured, in order, with both extremes", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 1200 }), (values) => {
        const points = filled(values).points();
        expect(points.length).toBeLessThanOrEqual(maxSeriesPoints);
        const steps = points.map((point) => point.x);
        expect(points.map((point) => point.y)).toEqual(steps.map((step) => values[step - 1]));
        expect(steps).toEqual([...new Set(steps)].sort((left, right) => left - right));
        const drawn = points.map((point) => point.y);
        expect(Math.max(...drawn)).toBe(Math.max(...values));
        expect(Math.min(...drawn)).toBe(Math.min(...values));
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it("keeps history where it was while a run grows, apart from dropping points when buckets merge", () => {
    const series = new BucketSeries();
    let before: readonly { x: number; y: number }[] = [];
    let surprises = 0;
    for (let step = 1; step <= 1000; step++) {
      series.append(step, Math.cos(step * step));
      const now = series.points();
      const seen = new Set(before.map((point) => point.x));
      surprises += now.filter((point) => point.x < step - 16 && !seen.has(point.x)).length;
      before = now;
    }
    expect(surprises).toBe(0);
  });

  it("keeps a value that is not a number as a gap", () => {
    const values = Array.from({ length: 900 }, (_, index) => (index === 400 ? Number.NaN : index));
    expect(filled(values).points()).toContainEqual({ x: 401, y: Number.NaN });
  });
});

describe("RunHistory", () => {
  it("joins a metric with its held-out counterpart and forgets what came after a checkpoint", () => {
    const history = new RunHistory();
    for (let step = 1; step <= 5; step++) history.addStep({ step, activeMs: step, metrics: { loss: step } });
    history.addEvaluation({ step: 0, activeMs: 0, metrics: { eval_loss: 9 } });
    history.addEvaluation({ step: 4, activeMs: 4, metrics: { eval_loss: 8 } });
    history.rewindTo(3);
    expect(history.metricSeries("loss")).toEqual({
      steps: [1, 2, 3],
      values: [1, 2, 3],
      evalSteps: [0],
      evalValues: [9],
    });
    expect(history.metricSeries("absent").steps).toEqual([]);
  });
});

it("draws what was measured on samples beside the evaluations, and forgets it with them", () => {
  const history = new RunHistory();
  history.addSamples({ step: 2, metrics: { "kl/reverseEstimate": 0.5 } });
  history.addSamples({ step: 4, metrics: { "kl/reverseEstimate": 1.5 } });
  expect(history.metricSeries("kl/reverseEstimate")).toMatchObject({
    evalSteps: [2, 4],
    evalValues: [0.5, 1.5],
  });
  history.rewindTo(3);
  expect(history.metricSeries("kl/reverseEstimate")).toMatchObject({ evalSteps: [2], evalValues: [0.5] });
});
