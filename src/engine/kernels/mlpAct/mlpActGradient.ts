import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import type { Activation } from "../gatedActivation/activation.ts";
import { foldedGrid } from "../grid.ts";
import { mlpActGradientCpu } from "./mlpActGradient.cpu.ts";
import { mlpActGradientWgsl, mlpActWorkgroup, tileRows } from "./mlpActGradient.wgsl.ts";

/** What specialises the gradient of the gate. */
export interface MlpActGradientAttrs {
  readonly act: Activation;
  /** Rank of the adapter of the projection that follows; 0 without one. */
  readonly rank: number;
  /** Element of theta where its A [rank, width] begins. */
  readonly aOffset: number;
  /** Columns are read four at a time. */
  readonly isVector: boolean;
}

/** Tensors of `mlpActGradient`. */
export interface MlpActGradientInputs {
  /** Gradient of the activation through the base weight of the projection that follows: [rows, width]. */
  readonly da0: Tensor;
  /** What the projection's adapter adds to it, dxa A: dxa [rows, rank], and A [rank, width] in theta from `aOffset` on. */
  readonly adapter?: { readonly dxa: Tensor; readonly theta: Tensor; readonly aOffset: number } | undefined;
  /** Gate and up before the activation, side by side: [rows, 2 width]; becomes [dgate | dup]. */
  readonly gu: Tensor;
}

function inputs({ rank, isVector }: MlpActGradientAttrs): readonly Binding[] {
  const type = isVector ? "vec4<f32>" : "f32";
  const adapter: Binding[] = [
    { name: "dxa", type: "f32" },
    { name: "theta", type: "f32" },
  ];
  return [{ name: "da0", type }, ...(rank > 0 ? adapter : []), { name: "gu", type, isMutable: true }];
}

function sizesOf(
  shapes: readonly Shape[],
  { rank, aOffset }: MlpActGradientAttrs,
): { rows: number; width: number } {
  const [rows, width] = shapes[0] ?? [];
  if (rows === undefined || width === undefined || shapes[0]?.length !== 2) {
    throw new ShapeError(`mlpActGradient needs a matrix da0, got [${shapes[0]?.join(", ")}]`);
  }
  const gu = shapes.at(-1);
  if (gu?.join() !== [rows, 2 * width].join()) {
    throw new ShapeError(`mlpActGradient: gu is [${gu?.join(", ")}], not [${rows}, ${2 * width}]`);
  }
  if (rank === 0) return { rows, width };
  const [, dxa, theta] = shapes;
  if (dxa?.join() !== [rows, rank].join()) {
    throw new ShapeError(`mlpActGradient: dxa is [${dxa?.join(", ")}], not [${rows}, ${rank}]`);
  }
  if (aOffset + rank * width > (theta?.[0] ?? 0)) {
    throw new ShapeError(`mlpActGradient: A ends at ${aOffset + rank * width} of ${theta?.[0]} parameters`);
  }
  return { rows, width };
}

/** gu [rows, 2 width] = [gate | up] becomes [da up act'(gate) | da act(gate)], with da = da0 + dxa A. */
export const mlpActGradientOp: Op<MlpActGradientAttrs> = {
  name: "mlpActGradient",
  inputs,
  outputs: () => [],
  uniforms: { rows: "u32", aOffset: "u32" },
  outputShapes: (shapes, attrs) => {
    sizesOf(shapes, attrs);
    return [];
  },
  dispatch: (shapes, attrs) => {
    const { rows, width } = sizesOf(shapes, attrs);
    const { act, rank, aOffset, isVector } = attrs;
    const items = Math.ceil(rows / tileRows) * (isVector ? width / 4 : width);
    return {
      wgsl: mlpActGradientWgsl({ act, rank, width, isVector }),
      uniforms: { rows, aOffset },
      workgroups: foldedGrid(Math.ceil(items / mlpActWorkgroup)),
    };
  },
  cpu: mlpActGradientCpu,
};

/** Changes `gu`, gate and up of a feed-forward block before the activation, into their gradients, in one dispatch. */
export function mlpActGradient({ da0, adapter, gu }: MlpActGradientInputs, act: Activation): void {
  const isVector = (da0.shape[1] ?? 0) % 4 === 0;
  const rank = adapter?.dxa.shape[1] ?? 0;
  const tensors = adapter === undefined ? [da0, gu] : [da0, adapter.dxa, adapter.theta, gu];
  run(mlpActGradientOp, tensors, { act, rank, aOffset: adapter?.aOffset ?? 0, isVector });
}
