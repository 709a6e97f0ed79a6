/** Numbers of the results page, as pure functions. */

/** Resamples drawn for an interval; the stream is seeded, so the page is reproducible. */
const RESAMPLES = 10_000;
const SEED = 12_345;
const LOW = 0.025;
const HIGH = 0.975;

/** Uniform numbers in [0, 1) from a 32-bit linear congruential stream (Numerical Recipes' constants). */
function stream(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean and bootstrap 95 % interval of the mean. */
export function bootstrap(values) {
  const random = stream(SEED);
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(values.map(() => values[Math.floor(random() * values.length)])),
  ).sort((a, b) => a - b);
  return {
    mean: mean(values),
    low: means[Math.floor(LOW * RESAMPLES)],
    high: means[Math.floor(HIGH * RESAMPLES)],
  };
}

/** Change of the judge's score prompt by prompt, over the seeded answers of one run. */
export function judgeChanges({ samplesBefore, samplesAfter }) {
  const seeded = (samples) => samples.filter(({ mode }) => mode === "seeded");
  const before = new Map(seeded(samplesBefore).map(({ prompt, judgeScore }) => [prompt, judgeScore]));
  return seeded(samplesAfter).map(({ prompt, judgeScore }) => judgeScore - before.get(prompt));
}

/** First evaluated step at which a metric has reached a value, or null. */
export function firstStepReaching(evaluations, metric, value) {
  return evaluations.find((evaluation) => evaluation[metric] >= value)?.step ?? null;
}
