import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { counterHash } from "./dropout.cpu.ts";
import { dropoutOp } from "./dropout.ts";

/** The same hash in arbitrary-precision arithmetic. */
function exactHash(seed: bigint, row: bigint, column: bigint): number {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  const permuted = (value: bigint): bigint => {
    const state = word(value * 747796405n + 2891336453n);
    const mixed = word(((state >> ((state >> 28n) + 4n)) ^ state) * 277803737n);
    return word((mixed >> 22n) ^ mixed);
  };
  return Number(permuted(word(column + permuted(word(row + permuted(word(seed)))))));
}

function kept(rate: number, seed: number, shape: readonly [number, number]): Float64Array {
  const output = new Float64Array(shape[0] * shape[1]);
  dropoutOp.cpu([output.map(() => 1)], [output], [shape], { rate, seed });
  return output;
}

describe("dropout", () => {
  it("hashes in exact 32-bit arithmetic", () => {
    for (const [seed, row, column] of [
      [0, 0, 0],
      [1, 2, 3],
      [4294967295, 65535, 262143],
      [3000000000, 7, 1],
    ] as const) {
      // prettier-ignore
      expect(counterHash(seed, row, column)).toBe(exactHash(BigInt(seed), BigInt(row), BigInt(column)));
    }
  });

  it("keeps 1 - rate of the values, scaled so that the mean stays", () => {
    const values = kept(0.25, 42, [200, 100]);
    const share = values.filter((value) => value !== 0).length / values.length;
    expect(Math.abs(share - 0.75)).toBeLessThan(0.015); // five standard deviations
    expect(new Set(values)).toEqual(new Set([0, 1 / 0.75]));
  });

  it("gives another mask for another seed and the same for the same", () => {
    expect(kept(0.5, 1, [8, 8])).toEqual(kept(0.5, 1, [8, 8]));
    expect(kept(0.5, 1, [8, 8])).not.toEqual(kept(0.5, 2, [8, 8]));
  });

  it("does nothing at rate 0 and refuses rate 1", () => {
    expect(new Set(kept(0, 9, [5, 7]))).toEqual(new Set([1]));
    expect(() => dropoutOp.outputShapes([[1, 1]], { rate: 1, seed: 0 })).toThrow(RangeError);
  });

  it("has the gradient of x", async () => {
    const shape = [5, 7];
    await checkGradient(dropoutOp, {
      inputs: [{ values: randomValues(3, shape), shape }],
      attrs: { rate: 0.3, seed: 11 },
      wrt: ["x"],
    });
  });
});
