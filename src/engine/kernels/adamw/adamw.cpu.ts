import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { AdamwAttrs } from "./adamw.ts";

/** Oracle of `sumSquares`: writes `slots` partial sums of squares into totals, from `slot` on. */
export function sumSquaresCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { slot, slots }: { readonly slot: number; readonly slots: number },
): void {
  const [gradient, totals] = inputs as readonly [Values, Values];
  let sum = 0;
  for (const value of gradient) sum += value * value;
  totals.fill(0, slot, slot + slots);
  totals[slot] = sum;
}

/** Oracle of `adamwStep`: changes theta, m and v in place, unless the norm is not finite. */
export function adamwStepCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  _shapes: readonly Shape[],
  attrs: AdamwAttrs,
): void {
  const [theta, m, v, gradient, totals] = inputs as readonly [Values, Values, Values, Values, Values];
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm } = attrs;
  let squares = 0;
  for (const total of totals) squares += total;
  if (!Number.isFinite(squares)) return;
  const factor = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (Math.sqrt(squares) + 1e-6)) : 1;
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

/** Oracle of `accumulate`: sum += scale * gradient, in place. */
export function accumulateCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { scale }: { readonly scale: number },
): void {
  const [sum, gradient] = inputs as readonly [Values, Values];
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + scale * gradient[i]!;
}
