import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { RopeAttributes } from "./rope.ts";

/** Turns every pair of every head of `x` by the angle of its row's position. */
export function ropeCpu(
  [x, table, positions]: readonly Values[],
  [y]: readonly Floats[],
  [shape]: readonly Shape[],
  { heads, headDim, direction }: RopeAttributes,
): void {
  const half = headDim / 2;
  const rows = shape![0]!;
  for (let row = 0; row < rows; row++) {
    for (let pair = 0; pair < heads * half; pair++) {
      const plane = pair % half;
      const first = (row * heads + Math.floor(pair / half)) * headDim + plane;
      const turn = (positions![row]! * half + plane) * 2;
      const cosine = table![turn]!;
      const sine = table![turn + 1]! * direction;
      y![first] = x![first]! * cosine - x![first + half]! * sine;
      y![first + half] = x![first + half]! * cosine + x![first]! * sine;
    }
  }
}
