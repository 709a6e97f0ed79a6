/** Inputs of `addNorm` and its gradient for the tests, from the sizes alone. */
import { randomValues, type TestInput } from "../../tensor/testing.ts";
import { addNormCpu } from "./addNorm.cpu.ts";
import { addNormOp, type AddNormAttrs } from "./addNorm.ts";
import type { AddNormGradientAttrs } from "./addNormGradient.ts";

/** Sizes of a case; theta holds numbers before, between and behind the two factors. */
export interface AddNormCase {
  readonly rows: number;
  readonly columns: number;
  readonly hasAdd?: boolean;
  readonly upRank?: number;
  readonly downRank?: number;
  readonly isVector?: boolean;
  readonly isSerial?: boolean;
}

/** Everything that a test of both directions needs. */
export function addNormCase(sizes: AddNormCase) {
  const { rows, columns, upRank = 0, downRank = 0, isVector = false, isSerial = false } = sizes;
  const { hasAdd = upRank > 0 } = sizes;
  const gap = isVector ? 4 : 3;
  const bOffset = gap + columns * downRank + gap;
  const attrs: AddNormAttrs = {
    hasAdd,
    upRank,
    downRank,
    epsilon: 1e-2,
    loraScale: 1.5,
    aOffset: gap,
    bOffset,
    isVector,
    isSerial,
  };
  const values = (seed: number, shape: readonly number[]): TestInput & { readonly values: Float32Array } => ({
    values: randomValues(seed, shape),
    shape,
  });
  const x = values(1, [rows, columns]);
  const gain = values(2, [columns]);
  const theta = values(3, [bOffset + columns * upRank + gap]);
  const y0 = values(4, [rows, columns]);
  const ya = values(5, [rows, upRank]);
  const hasTheta = upRank > 0 || downRank > 0;
  const inputs = [
    x,
    ...(hasAdd ? [y0] : []),
    ...(upRank > 0 ? [ya] : []),
    gain,
    ...(hasTheta ? [theta] : []),
  ];
  return { attrs, inputs, values, x, gain, theta };
}

/** Inputs of the gradient, with h and aux as the forward oracle makes them. */
export function addNormGradientCase(sizes: AddNormCase) {
  const { attrs, inputs, values, x, gain, theta } = addNormCase({ ...sizes, hasAdd: true });
  const { rows, columns, downRank = 0 } = sizes;
  const shapes = inputs.map(({ shape }) => shape);
  const outputShapes = addNormOp.outputShapes(shapes, attrs);
  const outputs = outputShapes.map(([height = 0, width = 0]) => new Float32Array(height * width));
  addNormCpu(
    inputs.map((input) => input.values as Float32Array),
    outputs,
    shapes,
    attrs,
  );
  const [h, , aux] = outputs.map((output, index) => ({ values: output, shape: outputShapes[index] ?? [] }));
  const { isVector, isSerial, aOffset } = attrs;
  const gradientAttrs: AddNormGradientAttrs = { downRank, aOffset, isVector, isSerial };
  const dxn0 = values(6, x.shape);
  const dxa = values(7, [rows, downRank]);
  const dh = values(8, [rows, columns]);
  const adapter = downRank > 0 ? [dxa, theta] : [];
  return { attrs: gradientAttrs, inputs: [dxn0, ...adapter, h!, aux!, gain, dh], dxn0, h: h!, aux: aux! };
}
