import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { AdamwAttrs } from "./adamw.ts";

/** Oracle of `gradientSquares`: partial sums of squares of neighbouring shares of the gradient. */
export function gradientSquaresCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [gradient] = inputs as readonly [Values];
  const [partials] = outputs as readonly [Floats];
  for (let slot = 0; slot < partials.length; slot++) {
    let sum = 0;
    for (let i = slot; i < gradient.length; i += partials.length) sum += gradient[i]! * gradient[i]!;
    partials[slot] = sum;
  }
}

/** Oracle of `adamwClip`: changes theta, m and v in place unless the norm is not finite; reports norm and skip. */
export function adamwClipCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  attrs: AdamwAttrs,
): void {
  const [theta, m, v, gradient, partials] = inputs as readonly [Values, Values, Values, Values, Values];
  const [report] = outputs as readonly [Floats];
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm } = attrs;
  let squares = 0;
  for (const partial of partials) squares += partial;
  // A sum that only float64 can hold is not finite on a device.
  if (!Number.isFinite(Math.fround(squares))) {
    report[0] = Math.sqrt(Math.fround(squares));
    report[1] = 1;
    return;
  }
  const norm = Math.sqrt(squares);
  report[0] = norm;
  report[1] = 0;
  const factor = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;
  for (let i = 0; i < theta.length; i++) {
    const g = gradient[i]! * factor;
    const mean = beta1 * m[i]! + (1 - beta1) * g;
    const square = beta2 * v[i]! + (1 - beta2) * g * g;
    m[i] = mean;
    v[i] = square;
    const pull = mean / attrs.biasCorrection1 / (Math.sqrt(square / attrs.biasCorrection2) + epsilon);
    theta[i] = theta[i]! * (1 - learningRate * weightDecay) - learningRate * pull;
  }
}

/** Oracle of `accumulateAt`: sum[offset ..] += gradient, in place. */
export function accumulateAtCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { offset }: { readonly offset: number },
): void {
  const [sum, gradient] = inputs as readonly [Values, Values];
  for (let i = 0; i < gradient.length; i++) sum[offset + i] = sum[offset + i]! + gradient[i]!;
}
