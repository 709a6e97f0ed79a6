import { describe, expect, it } from "vitest";
import { featurePoolOp } from "../kernels/featurePool/featurePool.ts";
import { featurePoolGradientOp } from "../kernels/featurePool/featurePoolGradient.ts";
import { randomValues } from "../tensor/testing.ts";
import {
  checkFeatureOptions,
  featureBlocks,
  featureError,
  gradientLists,
  longestList,
  type FeatureErrorOptions,
  type FeatureMode,
} from "./featureErrors.ts";
import { sparseFeatures } from "./sparseFeatures.ts";

const policy = Float64Array.of(4, 0, 3, 1, 0, 0.5);
const reference = Float64Array.of(2, 5, 0, 1.5, 0, 0.5);

describe("featureError", () => {
  it("counts the union of both top k and divides by k", () => {
    const error = featureError({ policy, reference, tokens: 10 }, { mode: "paper", topK: 2 });
    // The policy's top 2 are 0 and 2, the reference's 1 and 0: (4 + 25 + 9) / 2.
    expect(error.distance).toBe(19);
    expect(error.overlap).toBe(0.5);
    expect([...error.features]).toEqual([0, 1, 2]);
    // (2/k) times the difference, over the ten positions of the mean.
    [0.2, -0.5, 0.3].forEach((slope, place) => expect(error.slopes[place]).toBeCloseTo(slope, 12));
  });

  it("counts the policy's top k alone as released code does, over the padded length", () => {
    const answer = { policy, reference, tokens: 10, divisor: 20 };
    const error = featureError(answer, { mode: "released", topK: 2 });
    // Sums of 10 positions over 20 are half the means: (1 + 2.25) / 2.
    expect(error.distance).toBe(1.625);
    expect([...error.features]).toEqual([0, 2]);
    [0.05, 0.075].forEach((slope, place) => expect(error.slopes[place]).toBeCloseTo(slope, 12));
  });

  it("counts a held list and divides by its length", () => {
    const options = { mode: "held", topK: 2, heldFeatures: [3, 1, 4] } as const;
    const error = featureError({ policy, reference, tokens: 1 }, options);
    expect(error.distance).toBeCloseTo((0.25 + 25) / 3, 12);
    expect([...error.features]).toEqual([1, 3, 4]);
    expect(error.overlap).toBe(0.5);
  });

  it("is the same from records, and zero without drift", () => {
    const options = { mode: "paper", topK: 2 } as const;
    const records = { policy: sparseFeatures(policy), reference: sparseFeatures(reference), tokens: 10 };
    expect(featureError(records, options)).toEqual(featureError({ policy, reference, tokens: 10 }, options));
    const still = featureError({ policy, reference: policy, tokens: 10 }, options);
    expect([still.distance, still.overlap]).toEqual([0, 1]);
  });

  it("divides by k where fewer than k features are active", () => {
    const lonely = Float64Array.of(0, 3, 0);
    const options = { mode: "paper", topK: 6 } as const;
    const error = featureError({ policy: lonely, reference: new Float64Array(3), tokens: 1 }, options);
    expect([error.distance, error.overlap, [...error.features]]).toEqual([1.5, 0, [1]]);
  });

  it.each(["paper", "released"] as const)("is the sum of every autoencoder's own drift: %s", (mode) => {
    const random = (seed: number, count: number) =>
      randomValues(seed, [count]).map((value) => Math.max(0, value));
    const widths = [7, 1, 12];
    const rows = widths.map((width, at) => ({
      policy: random(at, width),
      reference: random(at + 10, width),
      tokens: 5,
    }));
    const together = (side: "policy" | "reference") =>
      Float64Array.from(rows.flatMap((row) => [...row[side]]));
    const options = { mode, topK: 3 };
    const alone = rows.map((row) =>
      featureError(
        { ...row, policy: Float64Array.from(row.policy), reference: Float64Array.from(row.reference) },
        options,
      ),
    );
    const blocks = featureBlocks(widths);
    const [policyRow, referenceRow] = [together("policy"), together("reference")];
    const answers = [
      { policy: policyRow, reference: referenceRow, tokens: 5 },
      { policy: sparseFeatures(policyRow), reference: sparseFeatures(referenceRow), tokens: 5 },
    ];
    for (const answer of answers) {
      const all = featureError(answer, options, blocks);
      expect(all.distance).toBeCloseTo(
        alone.reduce((sum, { distance }) => sum + distance, 0),
        6,
      );
      expect(all.overlap).toBeCloseTo(alone.reduce((sum, { overlap }) => sum + overlap, 0) / 3, 12);
      expect([...all.features]).toEqual(
        alone.flatMap(({ features }, at) => [...features].map((feature) => feature + blocks[at]!.first)),
      );
      // Every autoencoder's list has its own numbers.
      alone.forEach((own, at) => {
        const [found, expected] = [
          gradientLists([all], [2], { listed: 6, block: blocks[at]! }),
          gradientLists([own], [2], { listed: 6 }),
        ];
        expect(found.indices).toEqual(expected.indices);
        found.coefficients.forEach((value, place) => {
          expect(value).toBeCloseTo(expected.coefficients[place]!, 6);
        });
      });
    }
  });

  it("counts one held list over all autoencoders", () => {
    const held = { mode: "held", topK: 2, heldFeatures: [5, 2, 0] } as const;
    const blocks = featureBlocks([2, 4]);
    const error = featureError({ policy, reference, tokens: 1 }, held, blocks);
    // (4 − 2)², (3 − 0)² and (0.5 − 0.5)² over the three of the list.
    expect(error.distance).toBeCloseTo(13 / 3, 12);
    const listsOf = (place: number) => gradientLists([error], [1.5], { listed: 3, block: blocks[place]! });
    expect(listsOf(0)).toEqual({
      indices: Int32Array.of(0, -1, -1),
      coefficients: Float32Array.of(2, 0, 0),
    });
    expect(listsOf(1)).toEqual({
      indices: Int32Array.of(0, 3, -1),
      coefficients: Float32Array.of(3, 0, 0),
    });
  });

  it("has everything in common where nothing is active", () => {
    const nothing = { policy: new Float64Array(3), reference: new Float64Array(3), tokens: 1 };
    expect(featureError(nothing, { mode: "paper", topK: 2 })).toMatchObject({ distance: 0, overlap: 1 });
    // Two of three: the policy's third feature is not active under the reference.
    const more = { ...nothing, policy: Float64Array.of(1, 2, 3), reference: Float64Array.of(1, 2, 0) };
    expect(featureError(more, { mode: "paper", topK: 5 }).overlap).toBeCloseTo(2 / 3, 12);
  });

  it("refuses rows of two widths", () => {
    const answer = { policy, reference: new Float64Array(5), tokens: 1 };
    expect(() => featureError(answer, { mode: "paper", topK: 2 })).toThrow("6 features");
  });
});

describe("the options", () => {
  it.each([
    [{ mode: "paper", topK: 0 }, "top k of 0"],
    [{ mode: "held", topK: 1 }, "No feature is held"],
    [{ mode: "held", topK: 1, heldFeatures: [2, 2] }, "Feature 2 is held twice"],
    [
      { mode: "held", topK: 1, heldFeatures: [2, 6] },
      "Feature 6 is held, and the last of the 6 features is 5",
    ],
  ] as const)("refuse %o", (options, message) => {
    expect(() => {
      checkFeatureOptions(options, 6);
    }).toThrow(message);
  });

  it("say how long a list can be", () => {
    const listOf = (mode: FeatureMode) => longestList({ mode, topK: 4, heldFeatures: [1, 2, 3] });
    expect((["paper", "released", "held"] as const).map(listOf)).toEqual([8, 4, 3]);
    expect(() => {
      checkFeatureOptions({ mode: "held", topK: 1, heldFeatures: [0, 5] }, 6);
    }).not.toThrow();
  });
});

describe("gradientLists", () => {
  const errors = [featureError({ policy, reference, tokens: 10 }, { mode: "paper", topK: 2 })];

  it("multiplies the slopes, pads, and leaves out an answer without a gradient", () => {
    const lists = gradientLists([...errors, ...errors], [0, 10], { listed: 4 });
    expect([...lists.indices]).toEqual([-1, -1, -1, -1, 0, 1, 2, -1]);
    expect([...lists.coefficients].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([
      0, 0, 0, 0, 2, -5, 3, 0,
    ]);
  });

  it("refuses a list that does not fit", () => {
    expect(() => gradientLists(errors, [1], { listed: 2 })).toThrow(
      "3 features does not fit a table of 2 columns",
    );
  });
});

describe("pooling, drift and the way back", () => {
  it.each<FeatureErrorOptions & { readonly divisor?: number }>([
    { mode: "paper", topK: 3 },
    { mode: "released", topK: 3, divisor: 9 },
    { mode: "held", topK: 3, heldFeatures: [0, 5, 7, 8] },
  ])("agree with central differences of $mode", (options) => {
    const [rows, inputSize, width] = [5, 4, 9];
    const matrix = (seed: number, length: number) => Float64Array.from(randomValues(seed, [length]));
    const stream = matrix(1, rows * inputSize);
    const weights = [matrix(2, width * inputSize), matrix(3, width), matrix(4, width).map((v) => v ** 2 / 4)];
    const shapes = [[width, inputSize], [width], [width]];
    const attrs = { isVector: false, isSerial: true };
    const still = matrix(5, width).map(Math.abs);
    const errorOf = () => {
      const pooled = new Float64Array(width);
      const tables = [Int32Array.of(0, 1, 2, 3), Int32Array.of(0, 4)];
      const sizes = [[rows, inputSize], [4], [1, 2], ...shapes];
      featurePoolOp.cpu([stream, ...tables, ...weights], [pooled, new Float64Array(3)], sizes, attrs);
      const { divisor = 4 } = options;
      return featureError({ policy: pooled, reference: still, tokens: 4, divisor }, options);
    };
    const listed = longestList(options);
    const { indices, coefficients } = gradientLists([errorOf()], [1.5], { listed });
    const gradient = new Float64Array(rows * inputSize);
    const rowAnswers = Int32Array.of(0, -1, 0, -1, -1, 0, 0, -1, -1, -1);
    const sizes = [[rows, inputSize], [rows, inputSize], [rows, 2], [1, listed], [1, listed], ...shapes];
    const inputs = [gradient, stream, rowAnswers, indices, coefficients, ...weights];
    featurePoolGradientOp.cpu(inputs, [], sizes, attrs);
    const step = 1e-6;
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0);
    stream.forEach((value, i) => {
      stream[i] = value + step;
      const above = errorOf().distance;
      stream[i] = value - step;
      const difference = (1.5 * (above - errorOf().distance)) / (2 * step);
      stream[i] = value;
      expect(Math.abs(gradient[i]! - difference)).toBeLessThan(1e-6 * Math.max(1, largest));
    });
  });
});
