import { describe, expect, it } from "vitest";
import { pairLoss } from "./bradleyTerry.ts";

describe("the loss of a pair", () => {
  it("is log 2 where both rewards are 0, and pulls both by a half", () => {
    expect(pairLoss({ chosen: 0, rejected: 0 }, 0.5)).toEqual({
      loss: Math.LN2,
      dChosen: -0.5,
      dRejected: 0.5,
    });
  });

  it("is what a pocket calculator makes of a gap of log 3 with centering", () => {
    // σ(log 3) = 3/4, so −log σ = log(4/3) and the pull is 1/4; r⁺ + r⁻ = log 3 + 2, of which 0.1 times the square.
    const sum = Math.log(3) + 2;
    const { loss, dChosen, dRejected } = pairLoss({ chosen: Math.log(3) + 1, rejected: 1 }, 0.1);
    expect(loss).toBeCloseTo(Math.log(4 / 3) + 0.1 * sum ** 2, 12);
    expect(dChosen).toBeCloseTo(-0.25 + 0.2 * sum, 12);
    expect(dRejected).toBeCloseTo(0.25 + 0.2 * sum, 12);
  });

  it("neither overflows nor vanishes where the answers are far apart", () => {
    expect(pairLoss({ chosen: -1000, rejected: 1000 }, 0)).toEqual({
      loss: 2000,
      dChosen: -1,
      dRejected: 1,
    });
    expect(pairLoss({ chosen: 40, rejected: 0 }, 0).loss).toBeCloseTo(Math.exp(-40), 25);
  });

  it.each([
    [0.3, -0.4, 0],
    [2, 5, 0.01],
    [-1.5, -1.4, 1],
  ])("has the derivatives of its central differences at %f, %f and %f", (chosen, rejected, centering) => {
    const step = 1e-6;
    const at = (a: number, b: number) =>
      pairLoss({ chosen: chosen + a, rejected: rejected + b }, centering).loss;
    const { dChosen, dRejected } = pairLoss({ chosen, rejected }, centering);
    expect(dChosen).toBeCloseTo((at(step, 0) - at(-step, 0)) / (2 * step), 7);
    expect(dRejected).toBeCloseTo((at(0, step) - at(0, -step)) / (2 * step), 7);
  });
});
