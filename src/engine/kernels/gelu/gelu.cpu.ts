import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { activate } from "../gatedActivation/activation.ts";
import type { GeluAttrs } from "./gelu.ts";

/** Oracle of `gelu`: x -> y of the same shape. */
export function geluCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { act }: GeluAttrs,
): void {
  const [x] = inputs as readonly [Values];
  const [y] = outputs as readonly [Floats];
  for (let index = 0; index < y.length; index++) y[index] = activate(act, x[index]!).value;
}

/** Oracle of `geluGradient`: x, dy -> dx. */
export function geluGradientCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { act }: GeluAttrs,
): void {
  const [x, dy] = inputs as readonly [Values, Values];
  const [dx] = outputs as readonly [Floats];
  for (let index = 0; index < dx.length; index++) dx[index] = dy[index]! * activate(act, x[index]!).slope;
}
