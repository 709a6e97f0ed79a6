import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { unpackRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";

/** Oracle of `packedEmbedding`: ids [rows], weight [vocabulary, words] -> gathered [rows, columns]. */
export function packedEmbeddingCpu(
  [ids, weight]: readonly Values[],
  [gathered]: readonly Floats[],
  shapes: readonly Shape[],
  {
    layout,
    columns,
    scale,
  }: { readonly layout: WeightLayout; readonly columns: number; readonly scale: number },
): void {
  const vocabulary = shapes[1]![0]!;
  for (let row = 0; row < ids!.length; row++) {
    const id = ids![row]!;
    if (id < 0 || id >= vocabulary) continue;
    const values = unpackRow(weight!, id, columns, layout);
    for (let column = 0; column < columns; column++) {
      gathered![row * columns + column] = scale * values[column]!;
    }
  }
}

/** Oracle of `shardEmbedding`: the same from rows `first` on of a table, changing the rows of those ids alone. */
export function shardEmbeddingCpu(
  [ids, weight, gathered]: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
  { first, ...attrs }: Parameters<typeof packedEmbeddingCpu>[3] & { readonly first: number },
): void {
  const { columns } = attrs;
  const [rows, height] = [ids!.length, shapes[1]![0]!];
  const values = new Float64Array(rows * columns);
  const local = Int32Array.from(ids!, (id) => id - first);
  packedEmbeddingCpu([local, weight!], [values], shapes, attrs);
  for (let row = 0; row < rows; row++) {
    if (local[row]! < 0 || local[row]! >= height) continue;
    gathered!.set(values.subarray(row * columns, (row + 1) * columns), row * columns);
  }
}

/** Oracle of `embedding`: ids [rows], weight [vocabulary, columns] -> gathered [rows, columns]. */
export function embeddingCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  { scale }: { readonly scale: number },
): void {
  const [ids, weight] = inputs as readonly [Values, Values];
  const [gathered] = outputs as readonly [Floats];
  const [vocabulary, columns] = shapes[1] as readonly [number, number];
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= vocabulary) continue;
    for (let column = 0; column < columns; column++) {
      gathered[row * columns + column] = scale * weight[id * columns + column]!;
    }
  }
}

/** Oracle of `embeddingGrad`: ids [rows], dy [rows, columns] -> dweight [vocabulary, columns]. */
export function embeddingGradCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  { vocabulary, scale }: { readonly vocabulary: number; readonly scale: number },
): void {
  const [ids, dy] = inputs as readonly [Values, Values];
  const [, columns] = shapes[1] as readonly [number, number];
  const sums = new Float64Array(vocabulary * columns);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= vocabulary) continue;
    for (let column = 0; column < columns; column++) {
      sums[id * columns + column]! += scale * dy[row * columns + column]!;
    }
  }
  outputs[0]!.set(sums);
}
