/** Means and shares with their intervals of 95 %. */
import { wilsonInterval } from "../data/wilsonInterval.ts";
import type { MeanScore, WinRate } from "./roundRecord.ts";

const CONFIDENCE = 0.95;
/** Halvings of an angle, as many as a 64-bit number has room for. */
const HALVINGS = 60;

/**
 * Probability that Student's t with whole degrees of freedom lies within ±tan(angle)·√degrees.
 * Source: Abramowitz and Stegun, 26.7.3 and 26.7.4.
 */
function shareWithin(angle: number, degrees: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= ((power - 1) / power) * cosine ** 2;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

/** The t of which 95 % of Student's distribution lies within ±t. */
export function studentT(degrees: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (shareWithin(middle, degrees) < CONFIDENCE) low = middle;
    else high = middle;
  }
  return Math.tan(low) * Math.sqrt(degrees);
}

/** The mean of some numbers; null of none. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean with Student's interval over the scores that there are; one tells no spread and has no interval. Null of none. */
export function meanScoreOf(scores: readonly (number | null)[]): MeanScore | null {
  const known = scores.filter((score) => score !== null);
  const mean = meanOf(known);
  if (mean === null) return null;
  if (known.length === 1) return { mean, low: null, high: null };
  const squares = known.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const error = Math.sqrt(squares / (known.length - 1) / known.length);
  const half = studentT(known.length - 1) * error;
  return { mean, low: mean - half, high: mean + half };
}

/** How often one list of scores is above another at the same place, ties half, with Wilson's interval; null of nothing. */
export function winRateOf(
  scores: readonly (number | null)[],
  others: readonly (number | null)[],
): WinRate | null {
  const differences = scores.flatMap((score, place) => {
    const other = others[place] ?? null;
    return score === null || other === null ? [] : [score - other];
  });
  const prompts = differences.length;
  if (prompts === 0) return null;
  const ties = differences.filter((difference) => difference === 0).length;
  const wins = differences.filter((difference) => difference > 0).length;
  const share = (wins + ties / 2) / prompts;
  const [low, high] = wilsonInterval(share, prompts);
  return { share, low, high, prompts, ties };
}
