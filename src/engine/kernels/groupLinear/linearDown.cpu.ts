import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { addBias, addProduct, plainWeight } from "./groupLinear.cpu.ts";
import { downFactors, totalRank } from "./groupLinear.ts";
import type { GroupAttrs } from "./groupLinear.ts";

/** Oracle of `linearDown`: x, weight, then the bias, then theta -> y, then ya. */
export function linearDownCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  attrs: GroupAttrs,
): void {
  const [values, weight] = inputs as readonly [Values, Values];
  const [y, ya] = outputs as readonly [Floats, Floats | undefined];
  const x = { values, rows: shapes[0]![0]!, columns: attrs.inputs };
  addProduct(y, "abt", [x, plainWeight(weight, attrs)]);
  if (attrs.hasBias) addBias(y, inputs[2]!);
  if (ya === undefined) return;
  const theta = inputs.at(-1)!;
  const a = theta.subarray(attrs.offset, attrs.offset + downFactors(attrs));
  addProduct(ya, "abt", [x, { values: a, rows: totalRank(attrs.segments), columns: attrs.inputs }]);
}
