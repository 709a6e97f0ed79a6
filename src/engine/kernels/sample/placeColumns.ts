import { ShapeError, type Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";

const lanes = 64;

const text = `@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = (group.x + group.y * 65535u) * ${lanes}u + lane;
  if (index >= uniforms.rows * uniforms.columns) { return; }
  let row = index / uniforms.columns;
  rows[row * uniforms.width + uniforms.first + index % uniforms.columns] = part[index];
}`;

/** Writes `part` [rows, columns] into the columns from `first` on of `rows` [rows, width] in place. */
export const placeColumnsOp: Op<{ readonly first: number }> = {
  name: "placeColumns",
  inputs: () => [
    { name: "rows", type: "f32", isMutable: true },
    { name: "part", type: "f32" },
  ],
  outputs: () => [],
  uniforms: { rows: "u32", width: "u32", columns: "u32", first: "u32" },
  outputShapes: ([rows, part], { first }) => {
    if (rows![0] !== part![0] || first + part![1]! > rows![1]!)
      throw new ShapeError(
        `placeColumns of [${part!.join(", ")}] from column ${first} on does not fit [${rows!.join(", ")}]`,
      );
    return [];
  },
  dispatch: ([rows, part], { first }) => ({
    wgsl: text,
    uniforms: { rows: part![0]!, width: rows![1]!, columns: part![1]!, first },
    workgroups: foldedGrid(Math.ceil((part![0]! * part![1]!) / lanes)),
  }),
  cpu: ([rows, part], _outputs, [rowsShape, partShape], { first }) => {
    const [width, columns] = [rowsShape![1]!, partShape![1]!];
    for (let row = 0; row < partShape![0]!; row++)
      rows!.set(part!.subarray(row * columns, (row + 1) * columns), row * width + first);
  },
};

/** Logits of a part of the vocabulary, from token `first` on, take their place among all of them; see `placeColumnsOp`. */
export function placeColumns(rows: Tensor, part: Tensor, first: number): void {
  run(placeColumnsOp, [rows, part], { first });
}
