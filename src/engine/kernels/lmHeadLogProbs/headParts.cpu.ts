import type { Floats, Values } from "../../tensor/op.ts";
import type { HeadArrays } from "./lmHeadLogProbs.cpu.ts";
import { isScored, logitsOf, maximumOf, statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

/** Where each number of a row stands that is known of the entries merged so far; the last four need a reference. */
export const runningPlace = {
  maximum: 0,
  /** Sum of e^(z - maximum). */
  total: 1,
  /** Sum of e^(z - maximum) (z - maximum). */
  weighted: 2,
  sum: 3,
  labelLogit: 4,
  /** Sum of e^(2 (z - maximum)). */
  squares: 5,
  referenceMaximum: 6,
  referenceTotal: 7,
  /** Sum of e^(zr - referenceMaximum) (zr - z). */
  difference: 8,
  /** Sum of e^(z - maximum) (z - zr). */
  reverseDifference: 9,
} as const;

/** A number that is merged from part to part. */
export type RunningName = keyof typeof runningPlace;

/** Those of a head, in the order of their places. */
export function runningNames(hasReference: boolean): readonly RunningName[] {
  const names = Object.keys(runningPlace) as RunningName[];
  return hasReference ? names : names.slice(0, runningPlace.referenceMaximum);
}

/** Numbers of a row that are merged from part to part. */
export function runningWidth(hasReference: boolean): number {
  return runningNames(hasReference).length;
}

/** Oracle of `lmHeadPart`: merges the entries of `head` into `running` [rows, runningWidth]. */
export function headRunning(head: HeadArrays, running: Values): void {
  const { reference, firstEntry = 0, vocabulary } = head;
  const width = runningWidth(reference !== undefined);
  for (let row = 0; row < head.rows; row++) {
    const known = running.subarray(row * width, (row + 1) * width);
    const logits = logitsOf(head.hidden, row, head);
    const referenceLogits = reference && logitsOf(reference, row, head);
    mergePolicy(known, logits, referenceLogits);
    const entry = head.labels[row]! - firstEntry;
    if (entry >= 0 && entry < vocabulary) known[runningPlace.labelLogit] = logits[entry]!;
    if (referenceLogits !== undefined) mergeReference(known, referenceLogits, logits);
  }
}

function mergePolicy(known: Values, logits: Float64Array, reference: Float64Array | undefined): void {
  const isFirst = known[runningPlace.total] === 0;
  const before = isFirst ? -Infinity : known[runningPlace.maximum]!;
  const maximum = Math.max(before, maximumOf(logits));
  const scale = isFirst ? 0 : Math.exp(before - maximum);
  let total = scale * known[runningPlace.total]!;
  let weighted = isFirst
    ? 0
    : scale * (known[runningPlace.weighted]! + known[runningPlace.total]! * (before - maximum));
  let sum = known[runningPlace.sum]!;
  let squares = scale * scale * known[runningPlace.squares]!;
  let reverseDifference = scale * (known[runningPlace.reverseDifference] ?? 0);
  for (let entry = 0; entry < logits.length; entry++) {
    const logit = logits[entry]!;
    const share = Math.exp(logit - maximum);
    total += share;
    weighted += share * (logit - maximum);
    sum += logit;
    squares += share * share;
    if (reference !== undefined) reverseDifference += share * (logit - reference[entry]!);
  }
  known[runningPlace.maximum] = maximum;
  known[runningPlace.total] = total;
  known[runningPlace.weighted] = weighted;
  known[runningPlace.sum] = sum;
  known[runningPlace.squares] = squares;
  if (reference !== undefined) known[runningPlace.reverseDifference] = reverseDifference;
}

function mergeReference(known: Values, reference: Float64Array, policy: Float64Array): void {
  const isFirst = known[runningPlace.referenceTotal] === 0;
  const before = isFirst ? -Infinity : known[runningPlace.referenceMaximum]!;
  const maximum = Math.max(before, maximumOf(reference));
  const scale = isFirst ? 0 : Math.exp(before - maximum);
  let total = scale * known[runningPlace.referenceTotal]!;
  let difference = scale * known[runningPlace.difference]!;
  for (let entry = 0; entry < reference.length; entry++) {
    const share = Math.exp(reference[entry]! - maximum);
    total += share;
    difference += share * (reference[entry]! - policy[entry]!);
  }
  known[runningPlace.referenceMaximum] = maximum;
  known[runningPlace.referenceTotal] = total;
  known[runningPlace.difference] = difference;
}

/** What is known of every row once all parts are merged. */
export interface FinishedHead {
  readonly running: Values;
  readonly labels: ArrayLike<number>;
  readonly hasReference: boolean;
  readonly vocabulary: number;
}

/** Oracle of `lmHeadFinish`: statistics [rows, statisticsWidth]; rows that are not scored stay 0. */
export function headFinished(
  { running, labels, hasReference, vocabulary }: FinishedHead,
  statistics: Floats,
): void {
  const width = runningWidth(hasReference);
  for (let row = 0; row < labels.length; row++) {
    if (!isScored(labels[row]!, vocabulary)) continue;
    const known = running.subarray(row * width, (row + 1) * width);
    const logTotal = Math.log(known[runningPlace.total]!);
    const logSumExp = known[runningPlace.maximum]! + logTotal;
    const at = row * statisticsWidth;
    statistics[at + statisticColumn.logp] =
      known[runningPlace.labelLogit]! - known[runningPlace.maximum]! - logTotal;
    statistics[at + statisticColumn.entropy] =
      logTotal - known[runningPlace.weighted]! / known[runningPlace.total]!;
    statistics[at + statisticColumn.meanLogit] = known[runningPlace.sum]! / vocabulary;
    statistics[at + statisticColumn.logSumExp] = logSumExp;
    statistics[at + statisticColumn.logSumSquares] = Math.log(known[runningPlace.squares]!) - 2 * logTotal;
    statistics[at + statisticColumn.isTop] =
      known[runningPlace.labelLogit]! >= known[runningPlace.maximum]! ? 1 : 0;
    if (!hasReference) continue;
    const referenceLogTotal = Math.log(known[runningPlace.referenceTotal]!);
    const maxima = known[runningPlace.maximum]! - known[runningPlace.referenceMaximum]!;
    const between = maxima + (logTotal - referenceLogTotal);
    statistics[at + statisticColumn.kl] =
      known[runningPlace.difference]! / known[runningPlace.referenceTotal]! + between;
    statistics[at + statisticColumn.reverseDivergence] =
      known[runningPlace.reverseDifference]! / known[runningPlace.total]! - between;
    statistics[at + statisticColumn.referenceLogSumExp] =
      known[runningPlace.referenceMaximum]! + referenceLogTotal;
  }
}
