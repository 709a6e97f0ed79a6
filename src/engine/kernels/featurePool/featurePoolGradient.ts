import type { Op, Shape } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { elementOf, encoderSizes, featureAttrs, requireShape } from "./featurePool.ts";
import type { FeatureAttrs, FeatureEncoder } from "./featurePool.ts";
import { featurePoolGradientCpu } from "./featurePoolGradient.cpu.ts";
import { gradientRows, serialGradientWgsl, teamGradientWgsl } from "./featurePoolGradient.wgsl.ts";

/** What the gradient is made of; the stream is the one that was pooled. */
export interface FeaturePoolGradientInputs extends FeatureEncoder {
  /** [rows, d], changed in place */
  readonly streamGradient: Tensor;
  /** [rows, d] */
  readonly hidden: Tensor;
  /** [rows, 2] int32: the answers that pool the row; −1 where there is none */
  readonly rowAnswers: Tensor;
  /** [answers, listed] int32: features of each answer's list; −1 where it is shorter */
  readonly indices: Tensor;
  /** [answers, listed]: gradient of the loss by that feature's activation at each pooled row */
  readonly coefficients: Tensor;
}

function sizesOf(shapes: readonly Shape[], attrs: FeatureAttrs) {
  const [streamGradient, hidden, rowAnswers, indices, coefficients, encoder, bias, threshold] = shapes;
  const rows = hidden?.[0] ?? 0;
  const [answers = 0, listed = 0] = indices ?? [];
  const sizes = encoderSizes("featurePoolGradient", { hidden, encoder, bias, threshold }, attrs);
  const wanted = {
    streamGradient: [streamGradient, [rows, sizes.inputSize]],
    rowAnswers: [rowAnswers, [rows, 2]],
    indices: [indices, [answers, listed]],
    coefficients: [coefficients, [answers, listed]],
  } as const;
  for (const [name, [shape, size]] of Object.entries(wanted))
    requireShape("featurePoolGradient", name, shape, size);
  return { rows, listed, ...sizes };
}

/**
 * streamGradient[t] += sum over the answers a that pool row t, and over the features j of a's list, of
 * coefficients[a, j] We_j where h_t We_j + b_j > max(threshold_j, 0); these are computed again, so nothing is kept of
 * the pooling. streamGradient [rows, d], hidden [rows, d], rowAnswers [rows, 2], indices [answers, listed],
 * coefficients [answers, listed], encoder [width, d], bias [width], threshold [width] -> nothing; streamGradient is
 * changed in place. An index is −1 or below width.
 */
export const featurePoolGradientOp: Op<FeatureAttrs> = {
  name: "featurePoolGradient",
  inputs: (attrs) => [
    { name: "streamGradient", type: elementOf(attrs), isMutable: true },
    { name: "hidden", type: elementOf(attrs) },
    { name: "rowAnswers", type: "i32" },
    { name: "indices", type: "i32" },
    { name: "coefficients", type: "f32" },
    { name: "encoder", type: elementOf(attrs) },
    { name: "bias", type: "f32" },
    { name: "threshold", type: "f32" },
  ],
  outputs: () => [],
  uniforms: { rows: "u32", listed: "u32" },
  outputShapes: (shapes, attrs) => {
    sizesOf(shapes, attrs);
    return [];
  },
  dispatch: (shapes, attrs) => {
    const { rows, listed, inputSize } = sizesOf(shapes, attrs);
    const elements = attrs.isVector ? inputSize / 4 : inputSize;
    return {
      wgsl: attrs.isSerial
        ? serialGradientWgsl(elements, attrs.isVector)
        : teamGradientWgsl(elements, attrs.isVector),
      uniforms: { rows, listed },
      workgroups: foldedGrid(Math.ceil(rows / gradientRows(attrs.isSerial))),
    };
  },
  cpu: featurePoolGradientCpu,
};

/** Adds the gradient of the pooled features to `streamGradient` in place; see `featurePoolGradientOp`. */
export function featurePoolGradient(inputs: FeaturePoolGradientInputs): void {
  const { streamGradient, hidden, rowAnswers, indices, coefficients, encoder, bias, threshold } = inputs;
  run(
    featurePoolGradientOp,
    [streamGradient, hidden, rowAnswers, indices, coefficients, encoder, bias, threshold],
    featureAttrs(hidden.shape[1] ?? 0),
  );
}
