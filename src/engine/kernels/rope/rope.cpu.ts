import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { RopeAttributes } from "./rope.ts";

/** Turns the pairs in the first `rotary` values of every head of `x` by the angle of its row's position. */
export function ropeCpu(
  [x, table, positions]: readonly Values[],
  [y]: readonly Floats[],
  [shape]: readonly Shape[],
  { heads, headDim, rotary, isInterleaved, direction }: RopeAttributes,
): void {
  const planes = rotary / 2;
  for (let head = 0; head < shape![0]! * heads; head++) {
    const start = head * headDim;
    for (let plane = 0; plane < planes; plane++) {
      const first = start + (isInterleaved ? 2 * plane : plane);
      const second = isInterleaved ? first + 1 : first + planes;
      const turn = (positions![Math.floor(head / heads)]! * planes + plane) * 2;
      const cosine = table![turn]!;
      const sine = table![turn + 1]! * direction;
      y![first] = x![first]! * cosine - x![second]! * sine;
      y![second] = x![second]! * cosine + x![first]! * sine;
    }
    for (let rest = start + rotary; rest < start + headDim; rest++) y![rest] = x![rest]!;
  }
}
