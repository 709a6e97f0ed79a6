import { describe, expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import { falseDiscoveryFindings, signFlipTest, type Differences } from "./signFlips.ts";

/** Differences at the first observations, or at those named. */
const at = (values: readonly number[], observations = [...values.keys()]): Differences => ({
  observations,
  values,
});

/** The exact p in plain loops. */
function exact({ values }: Differences): number {
  const count = 2 ** values.length;
  const observed = Math.abs(Array.from(values).reduce((sum, value) => sum + value, 0));
  let reached = 0;
  for (let pattern = 0; pattern < count; pattern++) {
    let sum = 0;
    for (let place = 0; place < values.length; place++)
      sum += (Math.floor(pattern / 2 ** place) % 2 === 0 ? 1 : -1) * values[place]!;
    if (Math.abs(sum) >= observed - 1e-9) reached++;
  }
  return reached / count;
}

describe("signFlipTest", () => {
  it("enumerates all signs of a few observations", () => {
    const quantities = [
      at([3, 1]), // ±4, ±2: two of four reach 4
      at([1, 2, 4]), // ±7 alone of eight reach 7
      at([1, 2, -4]), // all sums are odd: all reach 1
      at([0.1, 0.2, -0.3]), // the sum is 0 but for rounding
      at([5], [2]), // one difference says nothing
      at([]),
      at([1, 1, 1], [0, 1, 2]),
    ];
    const { pValues, permutations } = signFlipTest(quantities, {
      observations: 3,
      permutations: 8,
      seed: 1,
    });
    expect([...pValues]).toEqual([0.5, 0.25, 1, 1, 1, 1, 0.25]);
    expect(permutations).toBe(8);
  });

  it("equals plain loops for ten observations in two groups, whichever have differences", () => {
    const random = createRandom(5);
    for (let repeat = 0; repeat < 20; repeat++) {
      const observations = [...Array(10).keys()].filter(() => random.float() < 0.7);
      const quantity = at(
        observations.map(() => random.gaussian() + 0.5),
        observations,
      );
      const { pValues } = signFlipTest([quantity], { observations: 10, permutations: 1024, seed: 1 });
      expect(pValues[0]).toBeCloseTo(exact(quantity), 12);
    }
  });

  it("comes near the exact p by random signs, which one seed repeats", () => {
    const random = createRandom(8);
    const quantities = [0, 0.3, 0.6, 1, 2].map((shift) =>
      at(Array.from({ length: 12 }, () => random.gaussian() + shift)),
    );
    const options = { observations: 12, permutations: 2000, seed: 3 };
    const { pValues, permutations } = signFlipTest(quantities, options);
    expect(permutations).toBe(20_000);
    quantities.forEach((quantity, index) => {
      const p = exact(quantity);
      // Four standard errors of the looser look, and the 1 that is added.
      const error = 4 * Math.sqrt((p * (1 - p)) / 2000) + 1 / 2000;
      expect(Math.abs(pValues[index]! - p)).toBeLessThan(error);
    });
    expect(signFlipTest(quantities, options)).toEqual({ pValues, permutations });
    expect(signFlipTest(quantities, { ...options, seed: 4 }).pValues).not.toEqual(pValues);
  });

  it("tells small p apart with a second look, and has no p of 0", () => {
    const ones = Array.from({ length: 64 }, () => 1);
    const quantities = [at(ones), at(ones.map((one, place) => (place % 2 === 0 ? one : -one)))];
    const { pValues, permutations } = signFlipTest(quantities, {
      observations: 64,
      permutations: 100,
      seed: 1,
    });
    expect(permutations).toBe(1000);
    expect(pValues[0]).toBe(1 / 1001);
    expect(pValues[1]).toBe(1);
  });
});

describe("findings among many quantities", () => {
  /** Findings of 100 quantities, each with differences at a third of 40 observations, the first few shifted. */
  function findings(seed: number, shifted: number, shift: number): boolean[] {
    const random = createRandom(seed, 7);
    const quantities = Array.from({ length: 100 }, (_, index) => {
      const observations = [...Array(40).keys()].filter(() => random.float() < 1 / 3);
      const own = index < shifted ? shift : 0;
      // Symmetric about the shift, and heavy-tailed as activations are.
      return at(
        observations.map(() => own + random.gaussian() ** 3),
        observations,
      );
    });
    const { pValues } = signFlipTest(quantities, { observations: 40, permutations: 500, seed });
    return falseDiscoveryFindings(pValues, 0.05);
  }

  it("are there in at most one of twenty repeats where nothing changed but noise", () => {
    const repeats = 200;
    const any = Array.from({ length: repeats }, (_, seed) => findings(seed, 0, 0).includes(true));
    const share = any.filter(Boolean).length / repeats;
    // Five standard errors above the bound that Benjamini and Hochberg promise.
    expect(share).toBeLessThan(0.05 + 5 * Math.sqrt((0.05 * 0.95) / repeats));
  });

  it("are those that were shifted, and hardly any other", () => {
    let [right, wrong] = [0, 0];
    for (let seed = 0; seed < 20; seed++) {
      findings(seed, 10, 8).forEach((isFinding, index) => {
        if (isFinding && index < 10) right++;
        if (isFinding && index >= 10) wrong++;
      });
    }
    expect(right / 200).toBeGreaterThan(0.9);
    expect(wrong / (right + wrong)).toBeLessThan(0.1);
  });
});

describe("falseDiscoveryFindings", () => {
  it("takes all up to the last rank that is small enough", () => {
    // Bars at 1 %, 2 %, 3 %, 4 % and 5 %; the order of the values does not count.
    expect(falseDiscoveryFindings([0.2, 0.01, 0.039, 0.035, 0.02], 0.05)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(falseDiscoveryFindings([0.03, 0.2], 0.05)).toEqual([false, false]);
    expect(falseDiscoveryFindings([0.05, 0.05], 0.05)).toEqual([true, true]);
    expect(falseDiscoveryFindings([], 0.05)).toEqual([]);
  });
});
