import type { Floats, Shape, Values } from "../../tensor/op.ts";

/** Copies the rows of `x` that `indices` name; a negative index gives a row of zeros. */
export function gatherRowsCpu(
  [x, indices]: readonly Values[],
  [y]: readonly Floats[],
  [shape]: readonly Shape[],
): void {
  const width = shape![1]!;
  for (let row = 0; row < indices!.length; row++) {
    const source = indices![row]!;
    if (source < 0) continue;
    for (let column = 0; column < width; column++) y![row * width + column] = x![source * width + column]!;
  }
}
