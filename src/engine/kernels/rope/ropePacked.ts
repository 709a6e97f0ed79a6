import type { Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { checkPacked, type PackedHeads } from "./packedHeads.ts";
import { ropePackedCpu } from "./ropePacked.cpu.ts";
import { ropePackedGroup, ropePackedText } from "./ropePacked.wgsl.ts";

/** Rotary position embedding of the query and key heads of packed rows, in place; values stay as they are. */
export const ropePackedOp: Op<PackedHeads> = {
  name: "ropePacked",
  inputs: () => [
    { name: "qkv", type: "f32", isMutable: true }, // [rows, (heads + 2 keyValueHeads) headDim]
    { name: "table", type: "f32" }, // [maxPositions, rotary / 2, 2]
    { name: "positions", type: "i32" }, // [rows]
  ],
  outputs: () => [],
  uniforms: { rows: "u32" },
  outputShapes: ([qkv, table, positions], heads) => {
    checkPacked("ropePacked", heads, { qkv: qkv!, table: table!, positions: positions! });
    return [];
  },
  dispatch: ([qkv], heads) => {
    const rows = qkv![0]!;
    const pairs = ((heads.heads + heads.keyValueHeads) * heads.rotary) / 2;
    return {
      wgsl: ropePackedText(heads),
      uniforms: { rows },
      workgroups: foldedGrid(Math.ceil((rows * pairs) / ropePackedGroup)),
    };
  },
  cpu: ropePackedCpu,
};

/** Turns the query and key heads of `qkv` [rows, (heads + 2 keyValueHeads) headDim] to their positions, in place. */
export function ropePacked(
  qkv: Tensor,
  turns: { readonly table: Tensor; readonly positions: Tensor },
  { heads, keyValueHeads, headDim, rotary }: PackedHeads,
): void {
  run(ropePackedOp, [qkv, turns.table, turns.positions], { heads, keyValueHeads, headDim, rotary });
}
