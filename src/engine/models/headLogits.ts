import { linear } from "../kernels/linear/linear.ts";
import { placeColumns } from "../kernels/sample/placeColumns.ts";
import { isShardedWeight } from "../kernels/weightLayout/packedWeight.ts";
import { zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { headName, type Model } from "./decoder.ts";
import { matrix, type Weights } from "./weights.ts";

/**
 * Logits before their soft cap: hidden [texts, hidden] → [texts, vocabulary], by a tied head or one apart, packed or not,
 * shard by shard where it is stored so.
 */
export function headLogits({ config }: Pick<Model, "config">, weights: Weights, hidden: Tensor): Tensor {
  const head = matrix(weights, headName(config));
  if (!isShardedWeight(head)) return linear(hidden, { weight: head });
  const logits = zeros([hidden.shape[0] ?? 0, head.outputs]);
  let first = 0;
  for (const weight of head.shards) {
    placeColumns(logits, linear(hidden, { weight }), first);
    first += weight.outputs;
  }
  return logits;
}
