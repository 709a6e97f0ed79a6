/** How the output of a product is shared among invocations. */

// Enough invocations to fill a GPU; above it, sharing the inner axis only costs the reduction.
const enoughTiles = 2048;

/** Invocations that share the inner axis of one tile, for so many tiles and steps along it. */
export function splitOf(tiles: number, steps: number): number {
  if (tiles >= enoughTiles) return 1;
  const isWorthIt = (split: number): boolean => steps >= 4 * split && tiles * split <= 8 * enoughTiles;
  return [64, 16, 4].find(isWorthIt) ?? 1;
}

/** What the height of a tile depends on. */
interface Tiling {
  readonly rows: number;
  readonly tileColumns: number;
  readonly isPacked: boolean;
  readonly canSplit: boolean;
}

/** Output rows of one invocation; those of 8 are not split. */
export function tileRowsOf({ rows, tileColumns, isPacked, canSplit }: Tiling): number {
  if (rows < 3) return rows;
  // Twice the rows halve the unpacking, where that leaves a GPU busy.
  const hasEnough = !canSplit || (rows / 8) * tileColumns >= enoughTiles;
  return isPacked && rows >= 8 && hasEnough ? 8 : 4;
}
