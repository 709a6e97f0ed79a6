import { ShapeError, type Binding, type Shape } from "../../tensor/op.ts";
import type { AttentionAttributes } from "./attention.ts";

/** Widest head a workgroup can share. */
const widestHead = 256;

/** Bindings of vectors of four numbers. */
export function vectors(...names: readonly string[]): Binding[] {
  return names.map((name) => ({ name, type: "vec4<f32>" }));
}

function checkHeadCounts({ heads, keyValueHeads, headDim }: AttentionAttributes): void {
  if (headDim % 4 !== 0 || headDim > widestHead)
    throw new ShapeError(`attention needs heads of a multiple of 4 up to ${widestHead}, got ${headDim}`);
  if (heads % keyValueHeads !== 0)
    throw new ShapeError(`attention cannot share ${keyValueHeads} key-value heads among ${heads} heads`);
}

/** Throws `ShapeError` unless queries [rows, heads · headDim], keys and values [keys, keyValueHeads · headDim] fit. */
export function checkHeads([q, k, v]: readonly (Shape | undefined)[], attributes: AttentionAttributes): void {
  checkHeadCounts(attributes);
  const { heads, headDim } = attributes;
  if (q?.[1] !== heads * headDim)
    throw new ShapeError(`attention of ${heads} heads of ${headDim} got queries of ${q?.[1]}`);
  checkKeyValues([k, v], attributes);
}

/** Throws `ShapeError` unless keys and values are both [keys, keyValueHeads · headDim]. */
export function checkKeyValues(
  [k, v]: readonly (Shape | undefined)[],
  { keyValueHeads, headDim }: AttentionAttributes,
): void {
  for (const peer of [k, v]) {
    if (peer?.[1] !== keyValueHeads * headDim)
      throw new ShapeError(
        `attention of ${keyValueHeads} shared heads of ${headDim} got rows of ${peer?.[1]}`,
      );
  }
  if (k?.[0] !== v?.[0]) throw new ShapeError(`attention got ${k?.[0]} keys and ${v?.[0]} values`);
}

/** Throws `ShapeError` unless `qkv` is [rows, (heads + 2 · keyValueHeads) · headDim]. */
export function checkPacked(qkv: Shape | undefined, attributes: AttentionAttributes): void {
  checkHeadCounts(attributes);
  const { heads, keyValueHeads, headDim } = attributes;
  const width = (heads + 2 * keyValueHeads) * headDim;
  if (qkv?.[1] !== width)
    throw new ShapeError(`attention of packed rows of ${width} got rows of ${qkv?.[1]}`);
}

/** Throws `ShapeError` unless `shape` is [rows, width]. */
export function checkRows(name: string, shape: Shape | undefined, expected: Shape): void {
  if (shape?.length !== expected.length || expected.some((length, axis) => shape[axis] !== length))
    throw new ShapeError(`attention needs ${name} of [${expected.join(", ")}], got [${shape?.join(", ")}]`);
}

/** Throws `ShapeError` unless `ranges` is [rows, 2 · count] with at least one range of a row. */
export function checkRanges(ranges: Shape | undefined, rows: number | undefined): void {
  const width = ranges?.[1] ?? 0;
  if (ranges?.[0] !== rows || width < 2 || width % 2 !== 0)
    throw new ShapeError(`attention of ${rows} rows got ranges of [${ranges?.join(", ")}]`);
}
