/** A flat batch on the device: its tables as tensors, padded to a size that other batches share. */
import type { FlatBatch } from "../data/batch.ts";
import { causalRanges } from "../kernels/attention/causalRanges.ts";
import type { Rows, ScoredRows, Window } from "../models/rows.ts";
import { dispose, tensor, write } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** A flat batch whose tables lie on the device; the owner disposes it. */
export interface DeviceBatch {
  readonly flat: FlatBatch;
  readonly rows: Rows;
  readonly scored: ScoredRows;
  /** [entries] the token that each scored row should predict */
  readonly labels: Tensor;
  /** Puts another batch of the same padded size in its place. */
  readonly replace: (flat: FlatBatch) => void;
  readonly dispose: () => void;
}

/** Rows and entries of the tensors; what a batch does not fill is neither seen by anything nor scored. */
export interface BatchSize {
  readonly rows: number;
  readonly entries: number;
}

/** Sizes step by this share of the power of two below them, so that few shapes serve batches of all lengths. */
const ROW_STEPS = 8;
const ENTRY_STEPS = 4;
const SMALLEST_STEP = 8;

/** The padded size of a batch. */
export function paddedSize(flat: FlatBatch): BatchSize {
  return {
    rows: roundedUp(flat.tokenIds.length, ROW_STEPS),
    entries: roundedUp(flat.labels.length, ENTRY_STEPS),
  };
}

function roundedUp(count: number, steps: number): number {
  const step = Math.max(SMALLEST_STEP, 2 ** Math.floor(Math.log2(count)) / steps);
  return Math.ceil(count / step) * step;
}

/** Puts a batch's tables on the device, for a model with these windows; unpadded when no size is given. */
export function uploadBatch(
  flat: FlatBatch,
  windows: readonly Window[] = [null],
  size: BatchSize = { rows: flat.tokenIds.length, entries: flat.labels.length },
): DeviceBatch {
  const tables = tablesOf(flat, windows, size);
  const tensors = tables.map(({ values, shape }) => tensor(values, shape));
  const [tokenIds, positions, inverse, scoredRows, labels, ...ranges] = tensors;
  if (!tokenIds || !positions || !inverse || !scoredRows || !labels)
    throw new Error("A batch has five tables.");
  const visible = windows.map((window, index) => {
    const [keyRanges, queryRanges] = [ranges[2 * index], ranges[2 * index + 1]];
    if (!keyRanges || !queryRanges) throw new Error("Every window has two tables.");
    return [window, { keyRanges, queryRanges }] as const;
  });
  return {
    flat,
    rows: { tokenIds, positions, attention: { kind: "causal", tables: new Map(visible) } },
    scored: { rows: scoredRows, inverse },
    labels,
    replace: (next) => {
      tablesOf(next, windows, size).forEach(({ values }, index) => {
        const target = tensors[index];
        if (target !== undefined) write(target, values);
      });
    },
    dispose: () => {
      dispose(tensors);
    },
  };
}

/** Columns of a batch's range tables, two per window: batches of one size can differ in them. */
export function rangeColumns(flat: FlatBatch, windows: readonly Window[]): number[] {
  return windows.flatMap((window) => {
    const { keyRangeCount, queryRangeCount } = causalRanges(flat.segments, window ?? undefined);
    return [2 * keyRangeCount, 2 * queryRangeCount];
  });
}

interface Table {
  readonly values: Int32Array;
  readonly shape: readonly number[];
}

/** Tokens, positions, inverse, scored rows and labels; then the ranges of keys and queries of each window. */
function tablesOf(flat: FlatBatch, windows: readonly Window[], { rows, entries }: BatchSize): Table[] {
  const ranges = windows.map((window) => causalRanges(flat.segments, window ?? undefined));
  const positions = ranges[0]?.positions ?? new Int32Array();
  return [
    padded(flat.tokenIds, [rows], 0),
    padded(positions, [rows], 0),
    padded(flat.scoredInverse, [rows, 2], -1),
    padded(flat.scoredRows, [entries], 0),
    // A label outside the vocabulary is not scored.
    padded(flat.labels, [entries], -1),
    ...ranges.flatMap(({ keyRanges, keyRangeCount, queryRanges, queryRangeCount }) => [
      padded(keyRanges, [rows, 2 * keyRangeCount], 0),
      padded(queryRanges, [rows, 2 * queryRangeCount], 0),
    ]),
  ];
}

function padded(values: Int32Array, shape: readonly number[], filler: number): Table {
  const count = shape.reduce((product, length) => product * length, 1);
  if (values.length === count) return { values, shape };
  const filled = new Int32Array(count).fill(filler);
  filled.set(values);
  return { values: filled, shape };
}
