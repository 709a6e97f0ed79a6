/** Every statistic of a head beside its definition, column by column; for tests only. */
import { expect } from "vitest";
import type { Floats, Op } from "../../tensor/op.ts";
import { dispose, read, tensor } from "../../tensor/run.ts";
import { compare, randomValues } from "../../tensor/testing.ts";
import type { HeadAttrs } from "./headInputs.ts";
import type { HeadArrays } from "./lmHeadLogProbs.cpu.ts";
import { lmHeadLogProbs, lmHeadLogProbsOp, statisticColumn, statisticsWidth } from "./lmHeadLogProbs.ts";
import { naiveLogits, naiveStatistics } from "./naiveHead.testing.ts";

/** What a head is like. */
export interface ColumnCase {
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly hasReference: boolean;
  readonly softCap: number;
  /** Hidden states and weights are whole numbers, so that logits tie, and reach this; random ones when left out. */
  readonly largestLogit?: number;
}

/** Heads that end within a block of four rows, of 64 entries and of four columns, and logits of 10,000. */
export const columnCases: readonly ColumnCase[] = [
  { rows: 11, width: 64, vocabulary: 301, hasReference: true, softCap: 0 },
  { rows: 11, width: 37, vocabulary: 301, hasReference: true, softCap: 3 },
  { rows: 11, width: 4, vocabulary: 301, hasReference: true, softCap: 0, largestLogit: 10_000 },
  { rows: 11, width: 4, vocabulary: 301, hasReference: false, softCap: 6, largestLogit: 10_000 },
];

/** Values in [-1, 1], all of them -1, 0 or 1 where logits are to tie. */
function valuesOf(seed: number, shape: readonly number[], isWhole: boolean): Float32Array {
  const values = randomValues(seed, shape);
  return isWhole ? values.map((value) => Math.round(Math.max(-1, Math.min(1, value)))) : values;
}

/** Labels take turns: one with the largest logit, any other one, and none. */
function labelsOf(head: Omit<HeadArrays, "labels">): Int32Array {
  return Int32Array.from({ length: head.rows }, (_, row) => {
    if (row % 3 === 2) return -1;
    const logits = naiveLogits(head.hidden, head.weight, { ...head, row });
    return row % 3 === 1 ? (row * 31) % head.vocabulary : logits.lastIndexOf(Math.max(...logits));
  });
}

function headOf({ rows, width, vocabulary, hasReference, softCap, largestLogit }: ColumnCase): HeadArrays {
  const isWhole = largestLogit !== undefined;
  const scale = isWhole ? largestLogit / width : 2 / Math.sqrt(width);
  const states = (seed: number) => valuesOf(seed, [rows, width], isWhole).map((value) => value * scale);
  const head = {
    rows,
    width,
    vocabulary,
    softCap,
    hidden: states(1),
    weight: valuesOf(2, [vocabulary, width], isWhole),
    ...(hasReference ? { reference: states(3) } : {}),
  };
  return { ...head, labels: labelsOf(head) };
}

/** The head on the active device, in one piece or in parts of so many entries. */
async function readStatistics(head: HeadArrays, entriesAtOnce?: number): Promise<Float32Array> {
  const { rows, width, vocabulary, softCap = 0 } = head;
  const states = [head.hidden, ...(head.reference ? [head.reference] : [])].map((values) =>
    tensor(Float32Array.from(values), [rows, width]),
  );
  const [hidden, reference] = states;
  const weight = tensor(Float32Array.from(head.weight), [vocabulary, width]);
  const labels = tensor(Int32Array.from(head.labels), [rows]);
  const statistics = lmHeadLogProbs({
    hidden: hidden!,
    weight,
    labels,
    softCap,
    ...(reference === undefined ? {} : { reference }),
    ...(entriesAtOnce === undefined ? {} : { entriesAtOnce }),
  });
  const values = Float32Array.from(await read(statistics));
  dispose([...states, weight, labels, statistics]);
  return values;
}

/** Fails unless each statistic is what its definition gives in float64, within a share of 1 or of its largest value. */
export async function expectDefinedColumns(testCase: ColumnCase): Promise<void> {
  const head = headOf(testCase);
  const { vocabulary } = head;
  const naive = naiveStatistics(head);
  const isScored = (row: number) => head.labels[row]! >= 0;
  for (const entriesAtOnce of [undefined, 70]) {
    const statistics = await readStatistics(head, entriesAtOnce);
    for (const [name, column] of Object.entries(statisticColumn)) {
      const actual = naive.map((_, row) => statistics[row * statisticsWidth + column]!);
      const expected = naive.map((values, row) => (isScored(row) ? values[column]! : 0));
      const size = Math.max(1, ...expected.map(Math.abs));
      const label = `${name}, ${entriesAtOnce ?? vocabulary} entries at once`;
      // A last value of 1 keeps the tolerance meaningful where all are near 0.
      compare(Float32Array.of(...actual, size), Float64Array.of(...expected, size), {
        label,
        tolerance: 1e-5,
      });
    }
    const hits = naive.map((_, row) => statistics[row * statisticsWidth + statisticColumn.isTop]);
    expect(hits.filter((_, row) => row % 3 === 0)).toEqual([1, 1, 1, 1]);
    expect(hits.filter((_, row) => row % 3 === 2)).toEqual([0, 0, 0]);
  }
}

/** The head, with the statistics at 0 that take no gradient: any upstream of theirs must do nothing. */
export const differentiated: Op<HeadAttrs> = {
  ...lmHeadLogProbsOp,
  cpu: (inputs, outputs, shapes, attrs) => {
    lmHeadLogProbsOp.cpu(inputs, outputs, shapes, attrs);
    const [statistics] = outputs as readonly [Floats];
    statistics.forEach((_, at) => {
      if (at % statisticsWidth > statisticColumn.referenceLogSumExp) statistics[at] = 0;
    });
  },
};
