/** Gradients of an autoencoder's loss against central differences of the loss in plain float64 loops. */
import { expect } from "vitest";
import { flatParameters } from "../../adapters/parameters.ts";
import { dispose, memory, read, zeros } from "../../tensor/run.ts";
import { compare, randomValues } from "../../tensor/testing.ts";
import { addSaeGradients, AUXILIARY_WEIGHT } from "./saeGradients.ts";
import { saeParameterNames } from "./saeParameters.ts";

const [rows, inputSize, width, k] = [7, 4, 10, 2];
const STEP = 1e-5;
const TOLERANCE = 1e-4;

const shapes = {
  encoder: [width, inputSize],
  decoder: [width, inputSize],
  encoderBias: [width],
  decoderBias: [inputSize],
} as const;
type Name = keyof typeof shapes;
type Point = Record<Name, Float64Array>;

const first = Object.fromEntries(
  saeParameterNames.map((name, seed) => [name, randomValues(seed + 11, shapes[name])]),
) as Record<Name, Float32Array>;
const x = randomValues(5, [rows, inputSize]);

/** The values of `candidates` [place] that are among the `count` largest positive ones. */
function largest(candidates: readonly (readonly [number, number])[], count: number): Map<number, number> {
  const sorted = candidates.filter(([, value]) => value > 0).sort(([, a], [, b]) => b - a);
  return new Map(sorted.slice(0, count));
}

/** What codes by place make of decoder rows of length 1, plus an offset. [rows · inputSize] */
function rebuilt(
  codes: ReadonlyMap<number, number>,
  decoder: Float64Array,
  offset: Float64Array,
): Float64Array {
  const result = Float64Array.from({ length: rows * inputSize }, (_, i) => offset[i % inputSize]!);
  for (const [place, code] of codes) {
    const [row, feature] = [Math.floor(place / width), place % width];
    const direction = decoder.subarray(feature * inputSize, (feature + 1) * inputSize);
    const length = Math.hypot(...direction);
    direction.forEach((value, i) => (result[row * inputSize + i]! += (code * value) / length));
  }
  return result;
}

const meanSquare = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length;

/** The loss at a point; `left` is the error that the dead features rebuild, which is a constant of the auxiliary loss. */
function lossAt(point: Point, dead: readonly number[], left: Float64Array | null) {
  const pre = Array.from({ length: rows * width }, (_, place) => {
    const [row, feature] = [Math.floor(place / width), place % width];
    let sum = point.encoderBias[feature]!;
    for (let i = 0; i < inputSize; i++)
      sum += x[row * inputSize + i]! * point.encoder[feature * inputSize + i]!;
    return [place, sum] as const;
  });
  const codes = largest(pre, rows * k);
  const restored = rebuilt(codes, point.decoder, point.decoderBias);
  const remaining = left ?? Float64Array.from(x, (value, i) => value - restored[i]!);
  const rescue = new Map(
    Array.from({ length: rows }, (_, row) =>
      largest(
        dead.map((feature) => pre[row * width + feature]!),
        inputSize / 2,
      ),
    ).flatMap((found) => [...found]),
  );
  const auxiliary =
    dead.length === 0
      ? 0
      : meanSquare(rebuilt(rescue, point.decoder, new Float64Array(inputSize)), remaining);
  return { loss: meanSquare(restored, x) + AUXILIARY_WEIGHT * auxiliary, codes, rescue, remaining };
}

/** Loss, active features and all gradients of a batch with these dead features, on whichever backend is open. */
export async function checkSaeGradients(dead: readonly number[]): Promise<void> {
  const before = memory().numTensors;
  const point = Object.fromEntries(
    saeParameterNames.map((name) => [name, Float64Array.from(first[name])]),
  ) as Point;
  const { loss, codes, rescue, remaining } = lossAt(point, dead, null);
  expect(codes.size).toBe(rows * k);
  // A row of all dead features at work would not show whether the least are left out.
  if (dead.length > 0) expect(rescue.size).toBeGreaterThan(0);
  const parameters = flatParameters(
    saeParameterNames.map((name) => ({ name, shape: shapes[name], values: first[name] })),
  );
  const gradients = zeros(parameters.theta.shape);
  const measures = await addSaeGradients(parameters, gradients, { values: x, k, dead });
  expect(measures.loss).toBeCloseTo(loss, 5);
  expect(measures.l0).toBe(k);
  const active = new Set([...codes.keys()].map((place) => place % width));
  expect([...measures.isActive]).toEqual(Array.from({ length: width }, (_, i) => (active.has(i) ? 1 : 0)));
  const found = await read(gradients);
  for (const {
    name,
    offset,
    tensor: { size },
  } of parameters.trainables) {
    const values = point[name as Name];
    const expected = Float64Array.from(values, (value, i) => {
      const at = (changed: number) => {
        values[i] = changed;
        const { loss: there } = lossAt(point, dead, remaining);
        values[i] = value;
        return there;
      };
      return (at(value + STEP) - at(value - STEP)) / (2 * STEP);
    });
    compare(found.subarray(offset, offset + size), expected, { label: name, tolerance: TOLERANCE });
    if (name === "decoder") checkNothingAlongRows(found.subarray(offset, offset + size), values);
  }
  dispose(gradients);
  parameters.dispose();
  expect(memory().numTensors).toBe(before);
}

function checkNothingAlongRows(gradient: ArrayLike<number>, decoder: Float64Array): void {
  for (let feature = 0; feature < width; feature++) {
    let along = 0;
    for (let i = feature * inputSize; i < (feature + 1) * inputSize; i++) along += gradient[i]! * decoder[i]!;
    expect(Math.abs(along)).toBeLessThan(1e-5);
  }
}
