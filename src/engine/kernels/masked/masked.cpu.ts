import type { Floats, Values } from "../../tensor/op.ts";

/** Oracle of `masked`: values, mask -> kept, all of one shape. */
export function maskedCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [values, mask] = inputs as readonly [Values, Values];
  const [kept] = outputs as readonly [Floats];
  for (let index = 0; index < kept.length; index++) kept[index] = mask[index]! > 0 ? values[index]! : 0;
}
