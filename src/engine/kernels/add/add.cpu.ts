import type { Floats, Values } from "../../tensor/op.ts";

/** Oracle of `add`: a, b -> total, all of one shape. */
export function addCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [a, b] = inputs as readonly [Values, Values];
  const [total] = outputs as readonly [Floats];
  for (let index = 0; index < total.length; index++) total[index] = a[index]! + b[index]!;
}
