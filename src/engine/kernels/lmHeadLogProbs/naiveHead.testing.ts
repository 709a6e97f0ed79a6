/** The head by its definition, with every logit at once; for tests only. */
import type { HeadArrays } from "./lmHeadLogProbs.cpu.ts";

function logitsOf(
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

/** [logp, entropy, kl, mean logit, log-sum-exp] per row; the reference may have a head weight of its own, for differences. */
export function naiveStatistics(
  head: HeadArrays,
  referenceWeight: ArrayLike<number> = head.weight,
): number[][] {
  return Array.from({ length: head.rows }, (_, row) => {
    const place = { row, width: head.width, softCap: head.softCap };
    const logits = logitsOf(head.hidden, head.weight, place);
    const policy = logSoftmax(logits);
    const entropy = -policy.reduce((sum, logp) => sum + Math.exp(logp) * logp, 0);
    const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
    let kl = 0;
    if (head.reference) {
      const reference = logSoftmax(logitsOf(head.reference, referenceWeight, place));
      kl = reference.reduce((sum, logq, v) => sum + Math.exp(logq) * (logq - policy[v]!), 0);
    }
    return [policy[head.labels[row]!]!, entropy, kl, mean, logits[0]! - policy[0]!];
  });
}
