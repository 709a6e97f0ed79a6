import type { Floats, Shape, Values } from "../../tensor/op.ts";

/** Writes row i of `rows` over row `slots[i]` of `cache`; a negative slot is skipped. */
export function appendRowsCpu(
  [cache, rows, slots]: readonly Values[],
  _outputs: readonly Floats[],
  [shape]: readonly Shape[],
): void {
  const width = shape![1]!;
  for (let row = 0; row < slots!.length; row++) {
    const slot = slots![row]!;
    if (slot < 0) continue;
    for (let column = 0; column < width; column++)
      cache![slot * width + column] = rows![row * width + column]!;
  }
}
