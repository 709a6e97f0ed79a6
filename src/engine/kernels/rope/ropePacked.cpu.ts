import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { PackedHeads } from "./packedHeads.ts";

/** Turns the query and key heads of packed rows in place. */
export function ropePackedCpu(
  [qkv, table, positions]: readonly Values[],
  _outputs: readonly Floats[],
  [shape]: readonly Shape[],
  { heads, keyValueHeads, headDim, rotary }: PackedHeads,
): void {
  const [rows, width] = shape as [number, number];
  const planes = rotary / 2;
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads + keyValueHeads; head++) {
      for (let plane = 0; plane < planes; plane++) {
        const first = row * width + head * headDim + plane;
        const turn = (positions![row]! * planes + plane) * 2;
        const [cosine, sine] = [table![turn]!, table![turn + 1]!];
        const [a, b] = [qkv![first]!, qkv![first + planes]!];
        qkv![first] = a * cosine - b * sine;
        qkv![first + planes] = b * cosine + a * sine;
      }
    }
  }
}
