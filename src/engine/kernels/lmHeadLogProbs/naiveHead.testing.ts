/** The head by its definition, with every logit at once; for tests only. */
import { statisticColumn } from "./lmHeadLogProbs.cpu.ts";
import type { HeadArrays } from "./lmHeadLogProbs.cpu.ts";

const statisticNames = Object.keys(statisticColumn) as (keyof typeof statisticColumn)[];

/** Logits of one row [vocabulary], after the soft cap. */
export function naiveLogits(
  states: ArrayLike<number>,
  weight: ArrayLike<number>,
  { row, width, softCap = 0 }: { row: number; width: number; softCap?: number | undefined },
) {
  return Array.from({ length: weight.length / width }, (_, v) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += states[row * width + k]! * weight[v * width + k]!;
    return softCap > 0 ? softCap * Math.tanh(sum / softCap) : sum;
  });
}

function logSoftmax(logits: readonly number[]): number[] {
  const maximum = Math.max(...logits);
  const logTotal = maximum + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0));
  return logits.map((logit) => logit - logTotal);
}

/** KL(first || second) in nats from two rows of log-probs. */
function divergenceOf(first: readonly number[], second: readonly number[]): number {
  return first.reduce((sum, logp, v) => sum + Math.exp(logp) * (logp - second[v]!), 0);
}

/** Every statistic of each row, in the order of the columns; the reference may have a head weight of its own, for differences. */
export function naiveStatistics(
  head: HeadArrays,
  referenceWeight: ArrayLike<number> = head.weight,
): number[][] {
  return Array.from({ length: head.rows }, (_, row) => {
    const place = { row, width: head.width, softCap: head.softCap };
    const logits = naiveLogits(head.hidden, head.weight, place);
    const policy = logSoftmax(logits);
    const entropy = -policy.reduce((sum, logp) => sum + Math.exp(logp) * logp, 0);
    const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
    const label = head.labels[row]!;
    const squares = policy.reduce((sum, logp) => sum + Math.exp(logp) ** 2, 0);
    const isTop = logits[label] === Math.max(...logits) ? 1 : 0;
    const base = {
      logp: policy[label]!,
      logSumExp: logits[0]! - policy[0]!,
      logSumSquares: Math.log(squares),
    };
    const both = { kl: 0, referenceLogSumExp: 0, reverseDivergence: 0 };
    if (head.reference) {
      const referenceLogits = naiveLogits(head.reference, referenceWeight, place);
      const reference = logSoftmax(referenceLogits);
      both.kl = divergenceOf(reference, policy);
      both.reverseDivergence = divergenceOf(policy, reference);
      both.referenceLogSumExp = referenceLogits[0]! - reference[0]!;
    }
    const values = { ...base, ...both, entropy, meanLogit: mean, isTop };
    return statisticNames.map((name) => values[name]);
  });
}
