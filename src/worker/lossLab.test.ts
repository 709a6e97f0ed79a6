import { describe, expect, it } from "vitest";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { dpo } from "../engine/losses/dpo.ts";
import { objectives } from "../engine/losses/index.ts";
import { mixObjectives } from "../engine/losses/mix.ts";
import type { Objective } from "../engine/losses/objective.ts";
import { softplus } from "../engine/losses/softplus.ts";
import { lossSurface, type KnownPairs } from "./lossLab.ts";

const axis = { minimum: -6, maximum: 6, cells: 13 };
const valueAt = (cell: number) => axis.minimum + cell;
const defaultsOf = ({ parameters }: Objective) =>
  Object.fromEntries(parameters.map((spec) => [spec.key, spec.default]));

const ids = (count: number) => Int32Array.from({ length: count }, (_, index) => index + 1);
const pairOf = (chosen: number, rejected: number): TokenPair => ({
  row: 0,
  prompt: ids(1),
  chosen: ids(chosen),
  rejected: ids(rejected),
});

const recordOf = (chosen: number, rejected: number) => ({
  chosen: { sumLogps: chosen },
  rejected: { sumLogps: rejected },
});

describe("a loss surface", () => {
  it("of DPO is softplus(−β(x − y)), whatever the pair", () => {
    const { losses, held, pair } = lossSurface(dpo, { beta: 0.3 }, { axis, pairs: null });
    for (let row = 0; row < axis.cells; row++) {
      for (let column = 0; column < axis.cells; column++) {
        const expected = softplus(-0.3 * (valueAt(column) - valueAt(row)));
        expect(losses[row * axis.cells + column]).toBeCloseTo(expected, 6);
      }
    }
    expect(held).toEqual([]);
    expect(pair).toEqual({
      chosenTokens: 20,
      rejectedTokens: 20,
      chosenReference: -20,
      rejectedReference: -20,
      isMeasured: false,
    });
  });

  // Central differences of h = 1/64 nat: they are off by h²/6 of the third derivative, about 1e-5 for the loss that
  // bends most; losses rounded to 32 bits add 4e-6.
  it.each(Object.values<Objective>(objectives).map((objective) => [objective.id, objective] as const))(
    "of %s has the slopes of its losses",
    (_id, objective) => {
      const fine = { minimum: 0.4, maximum: 0.4 + 1 / 32, cells: 3 };
      const parameters = defaultsOf(objective);
      const { losses, chosenSlope, rejectedSlope } = lossSurface(objective, parameters, {
        axis: fine,
        pairs: null,
      });
      const middle = 4;
      const scale = Math.max(...losses.map(Math.abs), 1);
      expect(Math.abs((losses[5]! - losses[3]!) * 32 - chosenSlope[middle]!)).toBeLessThan(4e-5 * scale);
      expect(Math.abs((losses[7]! - losses[1]!) * 32 - rejectedSlope[middle]!)).toBeLessThan(4e-5 * scale);
    },
  );

  it("of a mixture adds up, with the knobs of both", () => {
    const first = lossSurface(dpo, { beta: 0.3 }, { axis, pairs: null });
    const second = lossSurface(dpo, { beta: 0.7 }, { axis, pairs: null });
    const mixed = mixObjectives({
      first: dpo,
      firstWeight: 2,
      second: dpo,
      secondWeight: 0.5,
      sftWeight: 0,
    });
    const { losses, chosenSlope } = lossSurface(
      mixed,
      { beta: 0.3, "second.beta": 0.7 },
      { axis, pairs: null },
    );
    for (const place of [0, 40, 84, 168]) {
      expect(losses[place]).toBeCloseTo(2 * first.losses[place]! + second.losses[place]! / 2, 5);
      expect(chosenSlope[place]).toBeCloseTo(
        2 * first.chosenSlope[place]! + second.chosenSlope[place]! / 2,
        5,
      );
    }
  });

  it("takes the median pair, and leaves out log-probs above 0", () => {
    const heldout = [pairOf(4, 8), pairOf(6, 10), pairOf(20, 12)];
    const logps = new Map([
      [heldout[0], recordOf(-3, -20)],
      [heldout[1], recordOf(-5, -22)],
    ]);
    const pairs: KnownPairs = { heldout, reference: { get: (pair) => logps.get(pair) } };
    const { losses, pair } = lossSurface(dpo, { beta: 0.3 }, { axis, pairs });
    expect(pair).toEqual({
      chosenTokens: 6,
      rejectedTokens: 10,
      chosenReference: -4,
      rejectedReference: -21,
      isMeasured: true,
    });
    const row = Array.from(losses.slice(0, axis.cells), Number.isNaN);
    // x = 4 is a log-prob of 0, the largest there is.
    expect(row).toEqual(Array.from(ids(13), (place) => valueAt(place - 1) > 4));
  });

  it("says what it holds still, and is empty where the objective gives no number", () => {
    const restless: Objective = {
      ...dpo,
      needs: ["rewardGap", "referenceLogps", "tokenKl"],
      compute: (...args) => ({ ...dpo.compute(...args), losses: Float64Array.of(Number.NaN, 1) }),
    };
    const { losses, held } = lossSurface(restless, { beta: 0.3 }, { axis, pairs: null });
    expect(held).toEqual(["tokenKl", "rewardGap"]);
    expect(losses.every(Number.isNaN)).toBe(true);
  });
});
