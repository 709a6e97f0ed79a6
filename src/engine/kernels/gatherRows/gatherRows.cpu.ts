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

/** Sums the rows of `dy` that each pair of `inverse` names; a negative place adds nothing. */
export function sumEntriesCpu(
  [dy, inverse]: readonly Values[],
  [dx]: readonly Floats[],
  [shape]: readonly Shape[],
): void {
  const width = shape![1]!;
  for (let place = 0; place < inverse!.length; place++) {
    const entry = inverse![place]!;
    if (entry < 0) continue;
    const start = Math.floor(place / 2) * width;
    for (let column = 0; column < width; column++) dx![start + column]! += dy![entry * width + column]!;
  }
}
