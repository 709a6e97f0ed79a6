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

/** Writes the keys and values at the end of row i of `qkv` over row `slots[i]` of both caches. */
export function appendPackedCpu(
  [keys, values, qkv, slots]: readonly Values[],
  _outputs: readonly Floats[],
  [cacheShape, , packedShape]: readonly Shape[],
): void {
  const width = cacheShape![1]!;
  const stride = packedShape![1]!;
  for (let row = 0; row < slots!.length; row++) {
    const slot = slots![row]!;
    if (slot < 0) continue;
    const end = (row + 1) * stride;
    keys!.set(qkv!.subarray(end - 2 * width, end - width), slot * width);
    values!.set(qkv!.subarray(end - width, end), slot * width);
  }
}
