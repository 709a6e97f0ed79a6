import { describe, expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import { pairGradients, rewardsOf } from "./rewards.ts";

describe("rewards", () => {
  it("are products with the head; rows beyond the count are padding", () => {
    expect([...rewardsOf([1, 2, 3, 4, 9, 9], [10, -1], 2)]).toEqual([8, 26]);
  });
});

describe("the gradients of a batch's states and head", () => {
  it("are worked out by hand for a pair whose rewards are equal", () => {
    // Both rewards are 2, the pull is ∓½ of two pairs in the step, and the centring slope is 2 · 0.25 · 4 / 2 = 1.
    const found = pairGradients(
      { states: [2, 0, 0, 2, 5, 5], head: [1, 1], count: 1 },
      { centering: 0.25, pairs: 2 },
    );
    expect(found.loss).toBeCloseTo((Math.LN2 + 0.25 * 16) / 2, 12);
    expect(found.correct).toBe(0);
    expect([...found.states]).toEqual([0.75, 0.75, 1.25, 1.25, 0, 0]);
    expect([...found.head]).toEqual([1.5, 2.5]);
  });

  it.each([96, 576])("are those of central differences at a width of %i", (hidden) => {
    const [random, count, settings] = [createRandom(hidden), 4, { centering: 0.1, pairs: 5 }];
    const draw = (length: number) =>
      Float64Array.from({ length }, () => random.gaussian() / Math.sqrt(hidden));
    const [states, head] = [draw(2 * count * hidden), draw(hidden)];
    const lossWith = (values: Float64Array, place: number, change: number): number => {
      const kept = values[place]!;
      values[place] = kept + change;
      const { loss } = pairGradients({ states, head, count }, settings);
      values[place] = kept;
      return loss;
    };
    const found = pairGradients({ states, head, count }, settings);
    for (const [values, gradient] of [
      [states, found.states],
      [head, found.head],
    ] as const) {
      for (let place = 0; place < values.length; place += 13) {
        const step = 1e-5;
        const slope = (lossWith(values, place, step) - lossWith(values, place, -step)) / (2 * step);
        expect(Math.abs(slope - gradient[place]!)).toBeLessThan(1e-7);
      }
    }
  });
});
