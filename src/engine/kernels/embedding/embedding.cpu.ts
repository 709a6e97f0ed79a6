import type { Floats, Shape, Values } from "../../tensor/op.ts";

/** Oracle of `embedding`: ids [rows], weight [vocabulary, columns] -> gathered [rows, columns]. */
export function embeddingCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
): void {
  const [ids, weight] = inputs as readonly [Values, Values];
  const [gathered] = outputs as readonly [Floats];
  const [vocabulary, columns] = shapes[1] as readonly [number, number];
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= vocabulary) continue;
    for (let column = 0; column < columns; column++) {
      gathered[row * columns + column] = weight[id * columns + column]!;
    }
  }
}

/** Oracle of `embeddingGrad`: ids [rows], dy [rows, columns] -> dweight [vocabulary, columns]. */
export function embeddingGradCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  { vocabulary }: { readonly vocabulary: number },
): void {
  const [ids, dy] = inputs as readonly [Values, Values];
  const [, columns] = shapes[1] as readonly [number, number];
  const sums = new Float64Array(vocabulary * columns);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= vocabulary) continue;
    for (let column = 0; column < columns; column++) {
      sums[id * columns + column]! += dy[row * columns + column]!;
    }
  }
  outputs[0]!.set(sums);
}
