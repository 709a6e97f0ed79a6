/** Picks the next token from logits, on the host, in float64. */
import type { Random } from "../data/random.ts";

/** Index of the largest logit; ties go to the lowest id. */
export function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) {
    if ((logits[id] ?? -Infinity) > (logits[best] ?? -Infinity)) best = id;
  }
  return best;
}

/** Draws from softmax(logits / temperature); temperature 0 is `argmax`. */
export function sampleToken(logits: ArrayLike<number>, temperature: number, random: Random): number {
  const best = argmax(logits);
  if (temperature === 0) return best;
  const peak = logits[best] ?? 0;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - peak) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let rest = random.float() * total;
  for (let id = 0; id < weights.length; id++) {
    rest -= weights[id] ?? 0;
    if (rest < 0) return id;
  }
  return best;
}
