import { foldedGrid } from "../grid.ts";
import { splitWorkgroup, workgroupEdge } from "./groupLinear.wgsl.ts";
import type { Tiling } from "./groupLinear.wgsl.ts";

/** Enough invocations to fill a GPU; above it, sharing the inner axis only costs the reduction. */
const enoughTiles = 2048;

function splitOf(tiles: number, steps: number): number {
  if (tiles >= enoughTiles) return 1;
  const isWorthIt = (split: number): boolean => steps >= 4 * split && tiles * split <= 8 * enoughTiles;
  return [64, 16, 4].find(isWorthIt) ?? 1;
}

function tileRowsOf(rows: number, tileColumns: number, canSplit: boolean): number {
  if (rows < 3) return rows;
  // Eight rows read a third less than four for each product, but leave half as many invocations.
  const tiles = Math.ceil(rows / 8) * tileColumns;
  return rows > 4 && (!canSplit || tiles >= 4 * enoughTiles) ? 8 : 4;
}

/** How `rows` rows of `tileColumns` tiles, each a sum of `steps` steps, are divided among invocations. */
export function tilingOf(
  { rows, tileColumns, steps }: { rows: number; tileColumns: number; steps: number },
  canSplit: boolean,
): Tiling & { readonly workgroups: readonly [number, number, number] } {
  const tileRows = tileRowsOf(rows, tileColumns, canSplit);
  const bands = Math.ceil(rows / tileRows);
  const split = canSplit ? splitOf(bands * tileColumns, steps) : 1;
  const workgroups: readonly [number, number, number] =
    split > 1
      ? foldedGrid(Math.ceil((bands * tileColumns * split) / splitWorkgroup))
      : [Math.ceil(tileColumns / workgroupEdge), Math.ceil(bands / workgroupEdge), 1];
  return { tileRows, split, workgroups };
}
