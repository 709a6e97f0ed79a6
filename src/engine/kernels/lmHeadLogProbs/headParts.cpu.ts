import type { Floats, Values } from "../../tensor/op.ts";
import type { HeadArrays } from "./lmHeadLogProbs.cpu.ts";
import { isScored, logitsOf, maximumOf, statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

/** Where each number of a row stands that is known of the entries merged so far; the last three need a reference. */
const place = {
  maximum: 0,
  /** Sum of e^(z - maximum). */
  total: 1,
  /** Sum of e^(z - maximum) (z - maximum). */
  weighted: 2,
  sum: 3,
  labelLogit: 4,
  referenceMaximum: 5,
  referenceTotal: 6,
  /** Sum of e^(zr - referenceMaximum) (zr - z). */
  difference: 7,
} as const;

/** Numbers of a row that are merged from part to part. */
export function runningWidth(hasReference: boolean): number {
  return hasReference ? 8 : 5;
}

/** Oracle of `lmHeadPart`: merges the entries of `head` into `running` [rows, runningWidth]. */
export function headRunning(head: HeadArrays, running: Values): void {
  const { reference, firstEntry = 0, vocabulary } = head;
  const width = runningWidth(reference !== undefined);
  for (let row = 0; row < head.rows; row++) {
    const known = running.subarray(row * width, (row + 1) * width);
    const logits = logitsOf(head.hidden, row, head);
    mergePolicy(known, logits);
    const entry = head.labels[row]! - firstEntry;
    if (entry >= 0 && entry < vocabulary) known[place.labelLogit] = logits[entry]!;
    if (reference !== undefined) mergeReference(known, logitsOf(reference, row, head), logits);
  }
}

function mergePolicy(known: Values, logits: Float64Array): void {
  const isFirst = known[place.total] === 0;
  const before = isFirst ? -Infinity : known[place.maximum]!;
  const maximum = Math.max(before, maximumOf(logits));
  const scale = isFirst ? 0 : Math.exp(before - maximum);
  let total = scale * known[place.total]!;
  let weighted = isFirst ? 0 : scale * (known[place.weighted]! + known[place.total]! * (before - maximum));
  let sum = known[place.sum]!;
  for (const logit of logits) {
    const share = Math.exp(logit - maximum);
    total += share;
    weighted += share * (logit - maximum);
    sum += logit;
  }
  known[place.maximum] = maximum;
  known[place.total] = total;
  known[place.weighted] = weighted;
  known[place.sum] = sum;
}

function mergeReference(known: Values, reference: Float64Array, policy: Float64Array): void {
  const isFirst = known[place.referenceTotal] === 0;
  const before = isFirst ? -Infinity : known[place.referenceMaximum]!;
  const maximum = Math.max(before, maximumOf(reference));
  const scale = isFirst ? 0 : Math.exp(before - maximum);
  let total = scale * known[place.referenceTotal]!;
  let difference = scale * known[place.difference]!;
  for (let entry = 0; entry < reference.length; entry++) {
    const share = Math.exp(reference[entry]! - maximum);
    total += share;
    difference += share * (reference[entry]! - policy[entry]!);
  }
  known[place.referenceMaximum] = maximum;
  known[place.referenceTotal] = total;
  known[place.difference] = difference;
}

/** What is known of every row once all parts are merged. */
export interface FinishedHead {
  readonly running: Values;
  readonly labels: ArrayLike<number>;
  readonly hasReference: boolean;
  readonly vocabulary: number;
}

/** Oracle of `lmHeadFinish`: statistics [rows, 6]; rows that are not scored stay 0. */
export function headFinished(
  { running, labels, hasReference, vocabulary }: FinishedHead,
  statistics: Floats,
): void {
  const width = runningWidth(hasReference);
  for (let row = 0; row < labels.length; row++) {
    if (!isScored(labels[row]!, vocabulary)) continue;
    const known = running.subarray(row * width, (row + 1) * width);
    const logTotal = Math.log(known[place.total]!);
    const logSumExp = known[place.maximum]! + logTotal;
    const at = row * statisticsWidth;
    statistics[at + statisticColumn.logp] = known[place.labelLogit]! - known[place.maximum]! - logTotal;
    statistics[at + statisticColumn.entropy] = logTotal - known[place.weighted]! / known[place.total]!;
    statistics[at + statisticColumn.meanLogit] = known[place.sum]! / vocabulary;
    statistics[at + statisticColumn.logSumExp] = logSumExp;
    if (!hasReference) continue;
    const referenceLogTotal = Math.log(known[place.referenceTotal]!);
    const maxima = known[place.maximum]! - known[place.referenceMaximum]!;
    statistics[at + statisticColumn.kl] =
      known[place.difference]! / known[place.referenceTotal]! + (maxima + (logTotal - referenceLogTotal));
    statistics[at + statisticColumn.referenceLogSumExp] = known[place.referenceMaximum]! + referenceLogTotal;
  }
}
