import type { Floats } from "../../tensor/op.ts";

/** Where each statistic of a row stands; both log-sum-exps are kept for the backward pass. */
export const statisticColumn = {
  logp: 0,
  entropy: 1,
  kl: 2,
  meanLogit: 3,
  logSumExp: 4,
  referenceLogSumExp: 5,
  /** log of the sum of the squared probabilities; this and what follows takes no gradient. */
  logSumSquares: 6,
  /** KL(policy || reference). */
  reverseDivergence: 7,
  /** 1 where no logit is above the label's. */
  isTop: 8,
} as const;

/** Numbers per row of the statistics tensor; `statisticColumn` names them. */
export const statisticsWidth = Object.keys(statisticColumn).length;

/** Arrays of a head on the host: `hidden` and `reference` [rows, width], `weight` [vocabulary, width]. */
export interface HeadArrays {
  readonly hidden: Floats;
  readonly weight: Floats;
  readonly labels: ArrayLike<number>;
  readonly reference?: Floats;
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
  /** Logits are softCap * tanh(logit / softCap); 0 or nothing leaves them alone. */
  readonly softCap?: number;
  /** Token of the first row of `weight`; 0 when left out. */
  readonly firstEntry?: number;
  /** Tokens of the whole vocabulary, when `weight` holds a range of it. */
  readonly totalVocabulary?: number;
}

/** What the backward pass of a head reads besides its inputs, both [rows, `statisticsWidth`]. */
export interface HeadGradientArrays extends HeadArrays {
  readonly statistics: Floats;
  readonly upstream: Floats;
}

/** Logits of one row [vocabulary], four vocabulary entries at a time so that the row is read less often. */
export function logitsOf(states: Floats, row: number, head: HeadArrays): Float64Array {
  const { weight, width, vocabulary, softCap = 0 } = head;
  const state = Float64Array.from(states.subarray(row * width, (row + 1) * width));
  const logits = new Float64Array(vocabulary);
  const blocked = vocabulary - (vocabulary % 4);
  for (let v = 0; v < blocked; v += 4) {
    const base = v * width;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let k = 0; k < width; k++) {
      const value = state[k]!;
      sum0 += value * weight[base + k]!;
      sum1 += value * weight[base + width + k]!;
      sum2 += value * weight[base + 2 * width + k]!;
      sum3 += value * weight[base + 3 * width + k]!;
    }
    logits[v] = sum0;
    logits[v + 1] = sum1;
    logits[v + 2] = sum2;
    logits[v + 3] = sum3;
  }
  for (let v = blocked; v < vocabulary; v++) {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += state[k]! * weight[v * width + k]!;
    logits[v] = sum;
  }
  if (softCap > 0) {
    for (let v = 0; v < vocabulary; v++) logits[v] = softCap * Math.tanh(logits[v]! / softCap);
  }
  return logits;
}

/** The largest of some logits. */
export function maximumOf(logits: Float64Array): number {
  let maximum = -Infinity;
  for (const logit of logits) if (logit > maximum) maximum = logit;
  return maximum;
}

/** Whether a label marks a row that is scored. */
export function isScored(label: number, vocabulary: number): boolean {
  return label >= 0 && label < vocabulary;
}

/** Statistics of every row; a label outside the vocabulary marks a row that is not scored and stays 0. */
export function headStatistics(head: HeadArrays, statistics: Floats): void {
  for (let row = 0; row < head.rows; row++) {
    const label = head.labels[row]!;
    if (!isScored(label, head.vocabulary)) continue;
    const logits = logitsOf(head.hidden, row, head);
    const maximum = maximumOf(logits);
    let total = 0;
    let weighted = 0;
    let sum = 0;
    let squares = 0;
    for (const logit of logits) {
      const share = Math.exp(logit - maximum);
      total += share;
      weighted += share * (logit - maximum);
      sum += logit;
      squares += share * share;
    }
    const logSumExp = maximum + Math.log(total);
    const at = row * statisticsWidth;
    statistics[at + statisticColumn.logp] = logits[label]! - logSumExp;
    statistics[at + statisticColumn.entropy] = Math.log(total) - weighted / total;
    statistics[at + statisticColumn.meanLogit] = sum / head.vocabulary;
    statistics[at + statisticColumn.logSumExp] = logSumExp;
    statistics[at + statisticColumn.logSumSquares] = Math.log(squares) - 2 * Math.log(total);
    statistics[at + statisticColumn.isTop] = logits[label]! >= maximum ? 1 : 0;
    if (!head.reference) continue;
    const reference = logitsOf(head.reference, row, head);
    const forward = divergenceBetween(reference, logits);
    const referenceLogSumExp = forward.logSumExp;
    statistics[at + statisticColumn.kl] = forward.difference - (referenceLogSumExp - logSumExp);
    statistics[at + statisticColumn.referenceLogSumExp] = referenceLogSumExp;
    const reverse = divergenceBetween(logits, reference);
    statistics[at + statisticColumn.reverseDivergence] =
      reverse.difference - (logSumExp - referenceLogSumExp);
  }
}

/** How far the logits of `first` are above those of `second`, a mean over the distribution of `first`. */
function divergenceBetween(
  first: Float64Array,
  second: Float64Array,
): { difference: number; logSumExp: number } {
  const maximum = maximumOf(first);
  let total = 0;
  let difference = 0;
  for (let v = 0; v < first.length; v++) {
    const share = Math.exp(first[v]! - maximum);
    total += share;
    difference += share * (first[v]! - second[v]!);
  }
  return { difference: difference / total, logSumExp: maximum + Math.log(total) };
}

/** Gradient of one row's logits [vocabulary], or undefined for a row that is not scored. */
function logitGradientOf(head: HeadGradientArrays, row: number): Float64Array | undefined {
  const { firstEntry = 0, totalVocabulary = head.vocabulary } = head;
  const label = head.labels[row]!;
  if (!isScored(label, totalVocabulary)) return undefined;
  const at = row * statisticsWidth;
  const logpGradient = head.upstream[at + statisticColumn.logp]!;
  const entropyGradient = head.upstream[at + statisticColumn.entropy]!;
  const klGradient = head.reference ? head.upstream[at + statisticColumn.kl]! : 0;
  const logSumExpGradient = head.upstream[at + statisticColumn.logSumExp]!;
  const shift = head.upstream[at + statisticColumn.meanLogit]! / totalVocabulary;
  const entropy = head.statistics[at + statisticColumn.entropy]!;
  const logSumExp = head.statistics[at + statisticColumn.logSumExp]!;
  const logits = logitsOf(head.hidden, row, head);
  const gradient = logits.slice();
  for (let v = 0; v < gradient.length; v++) {
    const logp = gradient[v]! - logSumExp;
    const slope = klGradient + logSumExpGradient - logpGradient - entropyGradient * (logp + entropy);
    gradient[v] = shift + Math.exp(logp) * slope;
  }
  const entry = label - firstEntry;
  if (entry >= 0 && entry < gradient.length) gradient[entry]! += logpGradient;
  if (head.reference && klGradient !== 0) {
    const reference = logitsOf(head.reference, row, head);
    const referenceLogSumExp = head.statistics[at + statisticColumn.referenceLogSumExp]!;
    for (let v = 0; v < gradient.length; v++) {
      gradient[v] = gradient[v]! - klGradient * Math.exp(reference[v]! - referenceLogSumExp);
    }
  }
  const { softCap = 0 } = head;
  if (softCap > 0) {
    for (let v = 0; v < gradient.length; v++) gradient[v]! *= 1 - (logits[v]! / softCap) ** 2;
  }
  return gradient;
}

/** Adds the gradient with respect to the hidden states [rows, width]. */
export function headHiddenGradient(head: HeadGradientArrays, hiddenGradient: Floats): void {
  const { weight, width } = head;
  const sums = new Float64Array(width);
  for (let row = 0; row < head.rows; row++) {
    const gradient = logitGradientOf(head, row);
    if (!gradient) continue;
    sums.fill(0);
    for (let v = 0; v < gradient.length; v++) {
      const value = gradient[v]!;
      for (let k = 0; k < width; k++) sums[k] = sums[k]! + value * weight[v * width + k]!;
    }
    for (let k = 0; k < width; k++) hiddenGradient[row * width + k]! += sums[k]!;
  }
}

/** Gradient with respect to the head weight [vocabulary, width]; the reference distribution is a constant. */
export function headWeightGradient(head: HeadGradientArrays, weightGradient: Floats): void {
  const { hidden, width } = head;
  const sums = new Float64Array(weightGradient.length);
  for (let row = 0; row < head.rows; row++) {
    const gradient = logitGradientOf(head, row);
    if (!gradient) continue;
    for (let v = 0; v < gradient.length; v++) {
      const value = gradient[v]!;
      for (let k = 0; k < width; k++) {
        sums[v * width + k] = sums[v * width + k]! + value * hidden[row * width + k]!;
      }
    }
  }
  weightGradient.set(sums);
}
