import type { Tensor } from "../../tensor/tfjs.ts";
import { dropout } from "../dropout/dropout.ts";
import type { DropoutAttrs } from "../dropout/dropout.ts";
import { matmul } from "../matmul/matmul.ts";
import type { WholeWeight } from "../weightLayout/packedWeight.ts";

/** A low-rank addition to a linear layer (LoRA, Hu et al. 2021), in the layout of PEFT. */
export interface LinearAdapter {
  /** Down projection: [rank, in]. */
  readonly a: Tensor;
  /** Up projection: [out, rank]. */
  readonly b: Tensor;
  /** Factor on the addition, for example alpha / rank. */
  readonly scale: number;
  /** Drops values of the adapter's input only. */
  readonly dropout?: DropoutAttrs;
}

/** Weights of a linear layer, as Hugging Face stores them. */
export interface LinearWeights {
  /** [out, in]; a packed one is frozen. */
  readonly weight: WholeWeight;
  /** [out] */
  readonly bias?: Tensor;
  readonly adapter?: LinearAdapter;
}

/** x W^T + bias + scale (drop(x) A^T) B^T: x [rows, in] -> [rows, out], in one dispatch, or two with an adapter. */
export function linear(x: Tensor, { weight, bias, adapter }: LinearWeights): Tensor {
  const options = { form: "abt", ...(bias === undefined ? {} : { bias }) } as const;
  if (adapter === undefined) return matmul(x, weight, options);
  const input = adapter.dropout === undefined ? x : dropout(x, adapter.dropout);
  const down = matmul(input, adapter.a, { form: "abt" }); // [rows, rank]
  return matmul(x, weight, { ...options, second: { a: down, b: adapter.b, scale: adapter.scale } });
}
