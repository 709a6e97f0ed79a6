import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { activate } from "../gatedActivation/activation.ts";
import { addBias, addProduct, addUp, plainWeight } from "./groupLinear.cpu.ts";
import type { LinearUpActAttrs, LinearUpAttrs } from "./linearUp.ts";

/** Oracle of `linearUp`: x, weight, then the bias, then xa and theta -> y. */
export function linearUpCpu(
  inputs: readonly Values[],
  [y]: readonly Floats[],
  shapes: readonly Shape[],
  attrs: LinearUpAttrs,
): void {
  const [x, weight] = inputs as readonly [Values, Values];
  const rows = shapes[0]![0]!;
  addProduct(y!, "abt", [{ values: x, rows, columns: attrs.inputs }, plainWeight(weight, attrs)]);
  if (attrs.hasBias) addBias(y!, inputs[2]!);
  if (attrs.segments.length === 0) return;
  const [xa, theta] = inputs.slice(attrs.hasBias ? 3 : 2) as [Values, Values];
  addUp(y!, { values: xa, rows, columns: xa.length / rows }, theta, attrs);
}

/** Oracle of `linearUpAct`: as `linearUp`, -> a [rows, F], then gu [rows, 2F] when it is kept. */
export function linearUpActCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  attrs: LinearUpActAttrs,
): void {
  const [a, gu] = outputs as readonly [Floats, Floats | undefined];
  const rows = shapes[0]![0]!;
  const width = attrs.outputs / 2;
  const product = new Float64Array(rows * attrs.outputs);
  linearUpCpu(inputs, [product], shapes, attrs);
  for (let index = 0; index < a.length; index++) {
    const gate = Math.floor(index / width) * 2 * width + (index % width);
    a[index] = activate(attrs.activation, product[gate]!).value * product[gate + width]!;
  }
  gu?.set(product);
}
