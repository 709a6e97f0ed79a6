import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { activate, type Activation } from "./activation.ts";

interface Attrs {
  readonly act: Activation;
}

/** Oracle of `gatedActivation`: gate, up -> product, all of one shape. */
export function gatedActivationCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { act }: Attrs,
): void {
  const [gate, up] = inputs as readonly [Values, Values];
  const [product] = outputs as readonly [Floats];
  for (let index = 0; index < product.length; index++) {
    product[index] = activate(act, gate[index]!).value * up[index]!;
  }
}

/** Oracle of `gatedActivationGradient`: gate, up, dy -> dgate, dup. */
export function gatedActivationGradientCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { act }: Attrs,
): void {
  const [gate, up, dy] = inputs as readonly [Values, Values, Values];
  const [dgate, dup] = outputs as readonly [Floats, Floats];
  for (let index = 0; index < dgate.length; index++) {
    const { value, slope } = activate(act, gate[index]!);
    dgate[index] = dy[index]! * up[index]! * slope;
    dup[index] = dy[index]! * value;
  }
}
