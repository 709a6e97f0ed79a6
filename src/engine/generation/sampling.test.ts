import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../data/random.ts";
import { argmax, sampleToken } from "./sampling.ts";

const DRAWS = 10_000;
/** Chi-square with 7 degrees of freedom exceeds this once in a million fair experiments. */
const LARGEST_CHI_SQUARE = 39.5;

const logits = [2, -1, 0.5, 3, -4, 1, 0, 2.5];

function probabilities(temperature: number): number[] {
  const weights = logits.map((logit) => Math.exp(logit / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** A stream that always gives the same number. */
const always = (value: number): Random => ({ ...createRandom(0), float: () => value });

describe("sampleToken", () => {
  it.each([0.7, 1, 2])("draws from the softmax at temperature %s", (temperature) => {
    const random = createRandom(11);
    const counts = logits.map(() => 0);
    for (let draw = 0; draw < DRAWS; draw++) {
      const token = sampleToken(logits, temperature, random);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    const chiSquareOf = (shares: readonly number[]) =>
      shares.reduce(
        (sum, share, token) => sum + ((counts[token] ?? 0) - DRAWS * share) ** 2 / (DRAWS * share),
        0,
      );
    expect(chiSquareOf(probabilities(temperature))).toBeLessThan(LARGEST_CHI_SQUARE);
    // The same counts do not pass for a temperature a fifth away.
    expect(chiSquareOf(probabilities(1.2 * temperature))).toBeGreaterThan(LARGEST_CHI_SQUARE);
  });

  it("takes the lowest of the likeliest ids at temperature 0, and draws nothing", () => {
    const untouched = { ...createRandom(0), float: () => expect.fail("a number was drawn") };
    expect(sampleToken([1, 5, 5, 5, 2], 0, untouched)).toBe(1);
    expect(sampleToken([-3], 0, untouched)).toBe(0);
    expect(argmax([-Infinity, -2, -2])).toBe(1);
    expect(argmax(Float32Array.of(0, 0, 1e-30))).toBe(2);
  });

  it("comes to the likeliest token as the temperature falls", () => {
    const random = createRandom(2);
    for (let draw = 0; draw < 100; draw++) expect(sampleToken(logits, 1e-6, random)).toBe(3);
  });

  it("never draws a token without probability, at either end of the stream", () => {
    const impossible = [-Infinity, 0, -Infinity, 0, -Infinity];
    expect(sampleToken(impossible, 1, always(0))).toBe(1);
    expect(sampleToken(impossible, 1, always(1 - 2 ** -32))).toBe(3);
  });

  it("knows no offset: equal logits up to a constant draw the same", () => {
    const small = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(small, fc.integer({ min: -1000, max: 1000 }), fc.integer(), (values, offset, seed) => {
        const moved = values.map((value) => value + offset);
        expect(sampleToken(moved, 0.5, createRandom(seed))).toBe(
          sampleToken(values, 0.5, createRandom(seed)),
        );
      }),
    );
  });
});
