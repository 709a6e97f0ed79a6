/** Rows that lie one after another: a prompt, then answers to it that do not see one another. */
export interface Segment {
  /** Rows of the prompt; a plain sequence is a prompt without branches. */
  readonly prompt: number;
  /** Rows of each answer; its positions go on from the prompt's length. */
  readonly branches: readonly number[];
}

/** Which rows see which: lists of ranges [first, end) of rows; an empty range fills up a short list. */
export interface CausalRanges {
  /** [rows, 2 · keyRangeCount]: the keys that a row sees. */
  readonly keyRanges: Int32Array<ArrayBuffer>;
  readonly keyRangeCount: number;
  /** [rows, 2 · queryRangeCount]: the queries that see a row. */
  readonly queryRanges: Int32Array<ArrayBuffer>;
  readonly queryRangeCount: number;
  /** [rows]: place of a row in its sequence, a branch counting as the continuation of its prompt. */
  readonly positions: Int32Array<ArrayBuffer>;
}

type Range = readonly [first: number, end: number];

/** A run of rows that see themselves and, beyond the first branch, a prompt that lies apart. */
interface Stretch {
  readonly start: number;
  readonly length: number;
  /** Position of the first row. */
  readonly from: number;
}

/**
 * Ranges and positions of segments that lie one after another. A row sees its prompt and its own branch up to
 * itself, at most the last `window` positions including its own. A prompt and its first branch lie together, so they
 * need one range; only further branches need a second.
 */
export function causalRanges(segments: readonly Segment[], window = Number.POSITIVE_INFINITY): CausalRanges {
  const keys: Range[][] = [];
  const queries: Range[][] = [];
  const positions: number[] = [];
  for (const { prompt, branches } of segments) {
    const start = keys.length;
    const trunk = { start, length: prompt + (branches[0] ?? 0), from: 0 };
    const further = stretchesAfter(trunk, prompt, branches.slice(1));
    for (const stretch of [trunk, ...further]) {
      for (let row = stretch.start; row < stretch.start + stretch.length; row++) {
        const position = stretch.from + row - stretch.start;
        const oldest = Math.max(0, position - window + 1);
        const own: Range = [stretch.start + Math.max(0, oldest - stretch.from), row + 1];
        keys.push(stretch === trunk ? [own] : [[start + oldest, start + prompt], own]);
        const beside: Range = [row, Math.min(stretch.start + stretch.length, row + window)];
        const isPrompt = stretch === trunk && position < prompt;
        queries.push([
          beside,
          ...(isPrompt ? further : []).map((branch) => reached(branch, position + window)),
        ]);
        positions.push(position);
      }
    }
  }
  const keyLists = listed(keys);
  const queryLists = listed(queries);
  return {
    keyRanges: keyLists.ranges,
    keyRangeCount: keyLists.count,
    queryRanges: queryLists.ranges,
    queryRangeCount: queryLists.count,
    positions: Int32Array.from(positions),
  };
}

/** The branches after the first, which the trunk holds. */
function stretchesAfter(trunk: Stretch, from: number, lengths: readonly number[]): Stretch[] {
  let start = trunk.start + trunk.length;
  return lengths.map((length) => {
    const stretch = { start, length, from };
    start += length;
    return stretch;
  });
}

/** The rows of a branch before position `end`. */
function reached({ start, length, from }: Stretch, end: number): Range {
  return [start, start + Math.min(length, end - from)];
}

/** Lists of one length in one array; empty ranges are left out, and all those that fill up are [0, 0). */
function listed(lists: readonly (readonly Range[])[]): { ranges: Int32Array<ArrayBuffer>; count: number } {
  const filled = lists.map((list) => list.filter(([first, end]) => end > first));
  const count = filled.reduce((longest, list) => Math.max(longest, list.length), 1);
  const ranges = new Int32Array(lists.length * 2 * count);
  filled.forEach((list, row) => {
    ranges.set(list.flat(), row * 2 * count);
  });
  return { ranges, count };
}
