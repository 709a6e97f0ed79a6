import type { Floats, Values } from "../../tensor/op.ts";

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** Oracle of `swiglu`: gate, up -> product, all of one shape. */
export function swigluCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [gate, up] = inputs as readonly [Values, Values];
  const [product] = outputs as readonly [Floats];
  for (let index = 0; index < product.length; index++) {
    const g = gate[index]!;
    product[index] = g * sigmoid(g) * up[index]!;
  }
}

/** Oracle of `swigluGrad`: gate, up, dy -> dgate, dup. */
export function swigluGradCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [gate, up, dy] = inputs as readonly [Values, Values, Values];
  const [dgate, dup] = outputs as readonly [Floats, Floats];
  for (let index = 0; index < dgate.length; index++) {
    const g = gate[index]!;
    const s = sigmoid(g);
    dgate[index] = dy[index]! * up[index]! * s * (1 + g * (1 - s));
    dup[index] = dy[index]! * g * s;
  }
}
