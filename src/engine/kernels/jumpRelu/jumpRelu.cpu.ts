import type { Floats, Values } from "../../tensor/op.ts";

/** Oracle of `jumpRelu`. */
export function jumpReluCpu(inputs: readonly Values[], _outputs: readonly Floats[]): void {
  const [values, threshold] = inputs as readonly [Values, Values];
  for (let index = 0; index < values.length; index++)
    if (!(values[index]! > Math.max(threshold[index % threshold.length]!, 0))) values[index] = 0;
}
