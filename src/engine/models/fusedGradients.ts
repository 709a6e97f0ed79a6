/** Where the gradients of a fused layer's parameters go: adapters in one dispatch a group, or the weights themselves. */
import { addNormGainGradient } from "../kernels/addNorm/addNormGradient.ts";
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import { loraGradient } from "../kernels/loraGradient/loraGradient.ts";
import { columnSum } from "../kernels/matmul/columnSum.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { dispose } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { Normed } from "./fusedLayer.ts";
import type { GradientSink, PassSetup } from "./pass.ts";
import type { LinearGroup } from "./stacks.ts";

/** What the gradient of a group's parameters is made of. */
export interface GroupGradientParts {
  /** [rows, in] */
  readonly x: Tensor;
  /** [rows, out] */
  readonly dy: Tensor;
  /** The adapters' inner values, from column `xaOffset` of this on; null without adapters. */
  readonly xa: Tensor | null;
  readonly xaOffset: number;
  /** Gradient dxa [rows, rank] of the inner values. */
  readonly adapter: { readonly dxa: Tensor } | undefined;
}

/** Adds the gradient of a group's adapters, or of its weights when they train. */
export function addGroupGradient(
  { weights }: PassSetup,
  { name, modules }: LinearGroup,
  parts: GroupGradientParts,
  sink: GradientSink,
): void {
  const { x, dy, xa, xaOffset, adapter: backward } = parts;
  const adapter = weights.groupAdapters.get(name);
  if (adapter !== undefined && backward !== undefined && xa !== null) {
    const tensors = { dxa: backward.dxa, x, dy, xa, gtheta: sink.flat };
    loraGradient(tensors, adapter, { xaOffset, accumulates: true });
  }
  const [first = ""] = modules;
  // Members of a group are neighbours in the flat parameters, as they are in the stack.
  addAt(sink, `${first}.weight`, () => matmul(dy, x, { form: "atb" }));
  addAt(sink, `${first}.bias`, () => columnSum(dy));
}

/** Adds the gradient of a norm's gain when it trains; `dxn` [rows, hidden] has no adapter's share then. */
export function addNormGainOf(
  name: string,
  { dxn, normed }: { readonly dxn: Tensor; readonly normed: Pick<Normed, "h" | "aux"> },
  sink: GradientSink,
): void {
  addAt(sink, name, () => addNormGainGradient(dxn, normed.h, normed.aux));
}

/** Adds a gradient where parameter `name` begins; nothing is computed for one that does not train. */
function addAt({ flat, trainables }: GradientSink, name: string, compute: () => Tensor): void {
  const trainable = trainables.find((each) => each.name === name);
  if (trainable === undefined) return;
  const gradient = compute();
  accumulateAt(flat, gradient, trainable.offset);
  dispose(gradient);
}
