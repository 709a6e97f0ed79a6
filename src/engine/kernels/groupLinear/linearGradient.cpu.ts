import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { addProduct, addUpGradient, plainWeight } from "./groupLinear.cpu.ts";
import type { GroupAttrs } from "./groupLinear.ts";

/** Oracle of `linearGradient`: dy, weight, then theta -> dx, then dxa. */
export function linearGradientCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  attrs: GroupAttrs,
): void {
  const [values, weight, theta] = inputs as readonly [Values, Values, Values | undefined];
  const [dx, dxa] = outputs as readonly [Floats, Floats | undefined];
  const dy = { values, rows: shapes[0]![0]!, columns: attrs.outputs };
  addProduct(dx, "ab", [dy, plainWeight(weight, attrs)]);
  if (dxa !== undefined && theta !== undefined) addUpGradient(dxa, dy, theta, attrs);
}
