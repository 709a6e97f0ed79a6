import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { activate } from "../gatedActivation/activation.ts";
import type { MlpActGradientAttrs } from "./mlpActGradient.ts";

/** Oracle of `mlpActGradient`: gu [rows, 2 F] becomes its gradient. */
export function mlpActGradientCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
  { act, rank, aOffset }: MlpActGradientAttrs,
): void {
  const [da0, ...others] = inputs as readonly [Values, Values, Values, Values];
  const gu = others[rank > 0 ? 2 : 0];
  const [dxa, theta] = others;
  const [rows, width] = shapes[0] as [number, number];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      let da = da0[row * width + column]!;
      for (let i = 0; i < rank; i++) {
        da += dxa[row * rank + i]! * theta[aOffset + i * width + column]!;
      }
      const gate = row * 2 * width + column;
      const up = gate + width;
      const { value, slope } = activate(act, gu[gate]!);
      gu[gate] = da * gu[up]! * slope;
      gu[up] = da * value;
    }
  }
}
