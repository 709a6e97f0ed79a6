/** Numbers of the tables, as pure functions. */
import { mean } from "../results/statistics.mjs";

const CONFIDENCE = 0.95;
/** Slices of a Simpson sum and halvings of a bisection: both go far beyond the digits that are shown. */
const SLICES = 2000;
const HALVINGS = 60;
/** Accuracy of the untouched model: all its log-ratios are exactly 0, so every pair is a tie and counts half. */
const UNTOUCHED_ACCURACY = 0.5;

/** Simpson's sum of cos^power from 0 to `end`. */
function cosineIntegral(power, end) {
  const width = end / SLICES;
  let sum = 0;
  for (let slice = 0; slice <= SLICES; slice++) {
    const weight = slice === 0 || slice === SLICES ? 1 : slice % 2 === 1 ? 4 : 2;
    sum += weight * Math.cos(slice * width) ** power;
  }
  return (sum * width) / 3;
}

const knownT = new Map();

/**
 * The t that Student's distribution stays within, on both sides, with a probability of 95 %.
 * With t = √ν tan θ the density becomes cos^(ν−1) θ on (−π/2, π/2), and so a share of a plain integral.
 */
export function studentT(freedom) {
  if (!knownT.has(freedom)) knownT.set(freedom, findT(freedom));
  return knownT.get(freedom);
}

function findT(freedom) {
  const whole = cosineIntegral(freedom - 1, Math.PI / 2);
  let [low, high] = [0, Math.PI / 2];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (cosineIntegral(freedom - 1, middle) < CONFIDENCE * whole) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan((low + high) / 2);
}

/** Mean and half the width of its 95 % t interval; of one value there is no interval: `half` is null. */
export function tInterval(values) {
  const middle = mean(values);
  const freedom = values.length - 1;
  if (freedom < 1) return { mean: middle, half: null };
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / freedom;
  return { mean: middle, half: studentT(freedom) * Math.sqrt(variance / values.length) };
}

/** The candidate whose samples the judge likes best; ties by accuracy, then the one that was named first. */
export function chooseRate(candidates) {
  const usable = candidates.filter(({ judge, accuracy }) => Number.isFinite(judge + accuracy));
  if (usable.length === 0) throw new Error("No learning rate gave a run that came to its end.");
  return usable.reduce((best, one) => {
    const isBetter = one.judge > best.judge || (one.judge === best.judge && one.accuracy > best.accuracy);
    return isBetter ? one : best;
  });
}

/**
 * A run's evaluations as points of accuracy and of the two-sided metric `<prefix>chosen`, `<prefix>rejected`; the
 * untouched model's ties count as halves.
 */
export function pointsOf(evaluations, prefix) {
  return evaluations.map((evaluation) => {
    const chosen = evaluation[`${prefix}chosen`];
    const rejected = evaluation[`${prefix}rejected`];
    const accuracy = evaluation.step === 0 ? UNTOUCHED_ACCURACY : evaluation["eval_accuracies/logratio"];
    return { accuracy, chosen, rejected, mean: (chosen + rejected) / 2 };
  });
}

/** The accuracy that both runs reach: the smaller of their best ones, at most `cap`. */
export function commonLevel(runs, cap) {
  return Math.min(cap, ...runs.map((points) => Math.max(...points.map(({ accuracy }) => accuracy))));
}

/** Both sides where the accuracy first reaches `level`, on straight lines between evaluations; null where it never does. */
export function firstAt(points, level) {
  const index = points.findIndex(({ accuracy }) => accuracy >= level);
  if (index < 0) return null;
  const [before, after] = [points[Math.max(0, index - 1)], points[index]];
  const rise = after.accuracy - before.accuracy;
  const share = rise === 0 ? 1 : (level - before.accuracy) / rise;
  const between = (key) => before[key] + share * (after[key] - before[key]);
  return { chosen: between("chosen"), rejected: between("rejected"), mean: between("mean") };
}

/** How a difference is to be read by its interval. */
export function verdict({ mean: middle, half }) {
  if (half === null || Math.abs(middle) <= half) return "not distinguishable";
  return middle < 0 ? "smaller" : "larger";
}

/** The middle value, or the mean of the two in the middle. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted.length - 1, sorted.length].map((twice) => sorted[Math.floor(twice / 2)]);
  return (low + high) / 2;
}

/** Squared change of every feature's mean activation, as the mean of both sides. */
export function featureShifts({ featuresBefore, featuresAfter }) {
  const change = (side) => featuresAfter[side].map((value, feature) => value - featuresBefore[side][feature]);
  const [chosen, rejected] = [change("chosen"), change("rejected")];
  return chosen.map((one, feature) => (one ** 2 + rejected[feature] ** 2) / 2);
}

/** The `count` features with the largest shifts, ascending by number; of equal ones the lower number is taken. */
export function mostMoved(shifts, count) {
  return shifts
    .map((shift, feature) => ({ shift, feature }))
    .toSorted((a, b) => b.shift - a.shift || a.feature - b.feature)
    .slice(0, count)
    .map(({ feature }) => feature)
    .toSorted((a, b) => a - b);
}
