import { beforeAll, describe, expect, it } from "vitest";
import { dispose, read, tensor } from "../../tensor/run.ts";
import { openTestDevice, randomValues } from "../../tensor/testing.ts";
import { featurePool, featurePoolOp } from "./featurePool.ts";
import { featurePoolGradient, featurePoolGradientOp } from "./featurePoolGradient.ts";

const attrs = { isVector: false, isSerial: true };

/** Two features of streams of two: the first has bias -1 and no threshold, the second the threshold 2. */
const encoder = Float64Array.of(1, 0, 1, 1);
const bias = Float64Array.of(-1, 0);
const threshold = Float64Array.of(0, 2);
/** Before the threshold: [2, 4], [-1, 2], [0, 3]. */
const hidden = Float64Array.of(3, 1, 0, 2, 1, 2);

describe("featurePool", () => {
  it("gives the worked example", () => {
    const [pooled, activity] = [new Float64Array(8), new Float64Array(4)];
    const scoredRows = Int32Array.of(0, 1, 1, 2, -1, 0);
    const entryRanges = Int32Array.of(0, 2, 2, 5, 5, 6, 6, 6);
    const shapes = [[3, 2], [6], [4, 2], [2, 2], [2], [2]];
    const inputs = [hidden, scoredRows, entryRanges, encoder, bias, threshold];
    featurePoolOp.cpu(inputs, [pooled, activity], shapes, attrs);
    // Answer 0: rows 0 and 1, and 2 is not above the threshold 2. Answer 1: rows 1 and 2 and one that only counts.
    expect([...pooled]).toEqual([1, 2, 0, 1, 2, 4, 0, 0]);
    [1, 1 / 3, 2, 0].forEach((value, answer) => expect(activity[answer]).toBeCloseTo(value, 12));
  });

  it("folds more tiles than one axis holds", () => {
    const shapes = [[9, 2], [6], [700, 2], [6400, 2], [6400], [6400]];
    const grid = (isSerial: boolean) =>
      featurePoolOp.dispatch(shapes, { isVector: false, isSerial }).workgroups;
    expect(grid(false)).toEqual([65_535, 2, 1]);
    expect(grid(true)).toEqual([17_500, 1, 1]);
  });

  it("refuses tables, encoders and rows of fours that do not fit", () => {
    const expectRefusal = (message: string, shapes: number[][], isVector = false) => {
      expect(() => featurePoolOp.outputShapes(shapes, { isVector, isSerial: true })).toThrow(message);
    };
    expectRefusal("entryRanges is [4, 3], not [4, 2]", [[3, 2], [6], [4, 3], [2, 2], [2], [2]]);
    expectRefusal("encoder is [2, 3], not [2, 2]", [[3, 2], [6], [4, 2], [2, 3], [2], [2]]);
    expectRefusal("bias is [2], not [5]", [[3, 2], [6], [4, 2], [5, 2], [2], [5]]);
    expectRefusal("threshold is [2], not [5]", [[3, 2], [6], [4, 2], [5, 2], [5], [2]]);
    expectRefusal("rows of 2", [[3, 2], [6], [4, 2], [5, 2], [5], [5]], true);
  });
});

describe("featurePoolGradient", () => {
  it("gives the worked example, and adds to what is there", () => {
    const streamGradient = Float64Array.from({ length: 6 }, () => 10);
    const rowAnswers = Int32Array.of(0, 1, -1, 0, 1, -1);
    // Answer 0 lists both features, answer 1 the second alone.
    const indices = Int32Array.of(0, 1, 1, -1);
    const coefficients = Float64Array.of(1, 0.5, 2, 7);
    const shapes = [[3, 2], [3, 2], [3, 2], [2, 2], [2, 2], [2, 2], [2], [2]];
    const inputs = [streamGradient, hidden, rowAnswers, indices, coefficients, encoder, bias, threshold];
    featurePoolGradientOp.cpu(inputs, [], shapes, attrs);
    // Row 0: 1 (1, 0) + 0.5 (1, 1) + 2 (1, 1). Row 1: nothing is active. Row 2: 2 (1, 1).
    expect([...streamGradient]).toEqual([13.5, 12.5, 10, 10, 12, 12]);
  });

  it.each([true, false])("agrees with central differences of the pooling, thresholds: %s", (hasThreshold) => {
    const [rows, inputSize, width] = [6, 5, 7];
    const matrix = (seed: number, length: number) => Float64Array.from(randomValues(seed, [length]));
    const stream = matrix(1, rows * inputSize);
    const gates = matrix(4, width).map((value) => (hasThreshold ? Math.abs(value) / 2 : 0));
    const weights = [matrix(2, width * inputSize), matrix(3, width), gates];
    const encoderShapes = [[width, inputSize], [width], [width]];
    const coefficients = matrix(5, 2 * width);
    // Row 1 is pooled by both answers, row 5 by none, and one entry of the second answer only counts.
    const [scoredRows, entryRanges] = [Int32Array.of(0, 1, 1, 2, 3, -1, 4), Int32Array.of(0, 2, 2, 7)];
    const rowAnswers = Int32Array.of(0, -1, 0, 1, 1, -1, 1, -1, 1, -1, -1, -1);
    const loss = (): number => {
      const pooled = new Float64Array(2 * width);
      const shapes = [[rows, inputSize], [7], [2, 2], ...encoderShapes];
      featurePoolOp.cpu(
        [stream, scoredRows, entryRanges, ...weights],
        [pooled, new Float64Array(4)],
        shapes,
        attrs,
      );
      // The gradient's coefficients are those of single positions.
      return pooled.reduce((sum, value, i) => sum + value * (i < width ? 2 : 5) * coefficients[i]!, 0);
    };
    const gradient = new Float64Array(rows * inputSize);
    const indices = Int32Array.from({ length: 2 * width }, (_, i) => i % width);
    const shapes = [
      [rows, inputSize],
      [rows, inputSize],
      [rows, 2],
      [2, width],
      [2, width],
      ...encoderShapes,
    ];
    const lists = [rowAnswers, indices, coefficients];
    featurePoolGradientOp.cpu([gradient, stream, ...lists, ...weights], [], shapes, attrs);
    const step = 1e-6;
    stream.forEach((value, i) => {
      stream[i] = value + step;
      const above = loss();
      stream[i] = value - step;
      const difference = (above - loss()) / (2 * step);
      stream[i] = value;
      expect(gradient[i]).toBeCloseTo(difference, 6);
    });
    expect(gradient.some((value) => value !== 0)).toBe(true);
  });

  it.each([
    [0, [2, 2], "streamGradient is [2, 2], not [3, 2]"],
    [2, [3, 3], "rowAnswers is [3, 3], not [3, 2]"],
    [4, [2, 5], "coefficients is [2, 5], not [2, 4]"],
    [5, [5, 3], "encoder is [5, 3], not [5, 2]"],
  ])("refuses input %i of shape %o", (place, shape, message) => {
    const shapes = [[3, 2], [3, 2], [3, 2], [2, 4], [2, 4], [5, 2], [5], [5]];
    shapes[place] = shape;
    expect(() => featurePoolGradientOp.outputShapes(shapes, attrs)).toThrow(message);
  });
});

describe("both, run on a device", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it("pool, and change the stream's gradient in place", async () => {
    const weights = {
      encoder: tensor(encoder, [2, 2]),
      bias: tensor(bias, [2]),
      threshold: tensor(threshold, [2]),
    };
    const stream = tensor(hidden, [3, 2]);
    const [scoredRows, entryRanges] = [tensor(Int32Array.of(0, 2), [2]), tensor(Int32Array.of(0, 2), [1, 2])];
    const { pooled, activity } = featurePool({ ...weights, hidden: stream, scoredRows, entryRanges });
    expect([...(await read(pooled))]).toEqual([1, 3.5]);
    expect([...(await read(activity))]).toEqual([1.5]);
    const tables = {
      streamGradient: tensor(new Float32Array(6), [3, 2]),
      rowAnswers: tensor(Int32Array.of(0, -1, -1, -1, 0, -1), [3, 2]),
      indices: tensor(Int32Array.of(1), [1, 1]),
      coefficients: tensor([2], [1, 1]),
    };
    featurePoolGradient({ ...weights, ...tables, hidden: stream });
    expect([...(await read(tables.streamGradient))]).toEqual([2, 2, 0, 0, 2, 2]);
    dispose([pooled, activity, stream, scoredRows, entryRanges]);
    dispose([...Object.values(weights), ...Object.values(tables)]);
  });
});
