import { ShapeError, type Binding, type Shape } from "../../tensor/op.ts";
import type { AttentionAttributes } from "./attention.ts";

/** Widest head a workgroup can share. */
const widestHead = 256;

/** Bindings of vectors of four numbers. */
export function vectors(...names: readonly string[]): Binding[] {
  return names.map((name) => ({ name, type: "vec4<f32>" }));
}

/** Throws `ShapeError` unless queries [rows, heads * headDim], keys and values [keys, keyValueHeads * headDim] fit. */
export function checkHeads(
  [q, k, v]: readonly (Shape | undefined)[],
  { heads, keyValueHeads, headDim }: AttentionAttributes,
): void {
  if (headDim % 4 !== 0 || headDim > widestHead)
    throw new ShapeError(`attention needs heads of a multiple of 4 up to ${widestHead}, got ${headDim}`);
  if (heads % keyValueHeads !== 0)
    throw new ShapeError(`attention cannot share ${keyValueHeads} key-value heads among ${heads} heads`);
  if (q?.[1] !== heads * headDim)
    throw new ShapeError(`attention of ${heads} heads of ${headDim} got queries of ${q?.[1]}`);
  for (const peer of [k, v]) {
    if (peer?.[1] !== keyValueHeads * headDim)
      throw new ShapeError(
        `attention of ${keyValueHeads} shared heads of ${headDim} got rows of ${peer?.[1]}`,
      );
  }
  if (k?.[0] !== v?.[0]) throw new ShapeError(`attention got ${k?.[0]} keys and ${v?.[0]} values`);
}

/** Throws `ShapeError` unless `ranges` is [rows, 2]. */
export function checkRanges(ranges: Shape | undefined, rows: number | undefined): void {
  if (ranges?.[0] !== rows || ranges?.[1] !== 2)
    throw new ShapeError(`attention of ${rows} rows got ranges of [${ranges?.join(", ")}]`);
}
