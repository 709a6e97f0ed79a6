import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareAtEqualAccuracy,
  compareAtEqualRates,
  EVAL_EVERY,
  runObjectives,
  summaryOf,
} from "./objectives.mjs";
import { answerSentence, objectivesPage } from "./objectivesPage.mjs";
import { RATES, SEARCH_SEED } from "./training.mjs";

const defaultConfig = {
  model: "story",
  accumulationSteps: 1,
  schedule: "linear",
  warmupSteps: 5,
  loraAlpha: 16,
  weightDecay: 0,
  maxGradNorm: 1,
  sampleTemperature: 0.7,
};
const common = { defaultConfig, steps: 40, backend: "cpu" };
const objective = (id) => ({
  id,
  label: id.toUpperCase(),
  parameters: [
    { key: "beta", label: "β", default: 0.5 },
    { key: "form", label: "Form", default: 1, choices: ["mean", "sum"] },
  ],
  needs: ["referenceLogps"],
});

/** A run whose accuracy rises to 0.9 at step 20 while the KL grows by `slope` a step. */
function recordOf(config, slope, best) {
  const evaluations = [0, 10, 20].map((step) => ({
    step,
    "eval_accuracies/logratio": [0.6, 0.7, 0.9][step / 10],
    "eval_kl/chosen": slope * step,
    "eval_kl/rejected": 2 * slope * step,
    eval_entropy: 0.4,
  }));
  const sample = (judgeScore, mode = "seeded") => ({ mode, judgeScore, tokens: ["a", "b"] });
  return {
    config,
    commit: "abc",
    environment: { backend: "cpu", device: "CPU", userAgent: "HeadlessChrome/1.0" },
    evaluations,
    evalBefore: evaluations[0],
    evalAfter: evaluations.at(-1),
    samplesBefore: [sample(0), sample(-1, "greedy")],
    samplesAfter: [sample(config.learningRate === best ? 0.5 : 0.1), sample(-1, "greedy")],
    steps: [{ active_ms: 2000 }],
    elapsedMs: 3000,
  };
}

async function smallTable(slopes, { fails = () => false, bestRates = {} } = {}) {
  const asked = [];
  const found = await runObjectives({
    objectives: Object.keys(slopes).map(objective),
    workers: ["page"],
    announce: () => undefined,
    common,
    seeds: 3,
    train: async (config) => {
      asked.push(config);
      if (fails(config))
        return { failure: { code: "NUM-1", message: "The loss was infinite." }, commit: "abc" };
      const { method, seed, learningRate } = config;
      // The KL grows with the rate: 5e-3 is the one that the slopes are meant for.
      const slope = slopes[method] * (learningRate / 5e-3) * (1 + seed / 100);
      return recordOf(config, slope, bestRates[method] ?? 5e-3);
    },
    price: async ({ method }) => ({ referenceBytesPerPair: method === "dpo" ? 16 : 16_776 }),
  });
  return { ...found, asked };
}

test("every method has the same search, and its seeds take the rate that the judge likes best", async () => {
  const { asked, methods } = await smallTable({ dpo: 0.1, tdpo2: 0.05 });
  const searches = asked.filter(({ seed }) => seed === SEARCH_SEED);
  for (const id of ["dpo", "tdpo2"])
    assert.deepEqual(
      searches.filter(({ method }) => method === id).map(({ learningRate }) => learningRate),
      RATES,
    );
  const finals = asked.filter(({ seed }) => seed !== SEARCH_SEED);
  assert.deepEqual(
    finals.map(({ method, seed, learningRate, evalEvery }) => [method, seed, learningRate, evalEvery]),
    ["dpo", "tdpo2"].flatMap((method) => [1, 2, 3].map((seed) => [method, seed, 5e-3, EVAL_EVERY])),
  );
  assert.deepEqual(finals[0].params, { beta: 0.5, form: 1 });
  assert.equal(finals[0].steps, 40);
  const { judge, length, seconds } = summaryOf(methods[0]);
  assert.deepEqual([judge.mean, length.mean, seconds.mean], [0.5, 2, 2]);
});

test("half the slope is half the KL at equal accuracy, seed by seed", async () => {
  const { methods } = await smallTable({ dpo: 0.1, tdpo2: 0.05 });
  const [plain, held] = methods;
  const { rows, differences } = compareAtEqualAccuracy(held, plain);
  // 0.85 is reached at step 17.5: 1.75 nats for DPO with slope 0.1, made 1.01, 1.02 and 1.03 times as large by the seeds.
  assert.deepEqual(
    rows.map(({ level, plain: { chosen } }) => [level, chosen.toFixed(4)]),
    [1.01, 1.02, 1.03].map((factor) => [0.85, (1.75 * factor).toFixed(4)]),
  );
  assert.equal(differences.chosen.mean.toFixed(4), (-0.875 * 1.02).toFixed(4));
  const sentence = answerSentence({ rows, differences }, { held: "TDPO2", plain: "DPO" });
  assert.match(sentence, /^At equal accuracy \(0\.85\) TDPO2 holds a smaller KL than DPO: /);
  assert.match(sentence, /differs by −1\.339 \[−1\.371, −1\.306\] nats over 3 seeds/);
});

test("methods that took different rates are compared at each of them too", async () => {
  const found = await smallTable({ dpo: 0.1, tdpo2: 0.08 }, { bestRates: { tdpo2: 1e-2 } });
  assert.deepEqual(
    found.others.map(({ config: { method, seed, learningRate } }) => [method, seed, learningRate]),
    [...[1, 2, 3].map((seed) => ["tdpo2", seed, 5e-3]), ...[1, 2, 3].map((seed) => ["dpo", seed, 1e-2])],
  );
  const [plain, held] = found.methods;
  assert.ok(compareAtEqualAccuracy(held, plain).differences.mean.mean > 0);
  const [high, low] = compareAtEqualRates(found);
  assert.deepEqual([high.rate, low.rate], [1e-2, 5e-3]);
  // At one rate 0.02 of slope remains: 17.5 steps of it, made 1.02 times as large on average by the seeds.
  assert.equal(low.differences.chosen.mean.toFixed(4), (-0.02 * 17.5 * 1.02).toFixed(4));
  assert.equal(high.differences.chosen.mean.toFixed(4), (2 * -0.02 * 17.5 * 1.02).toFixed(4));
});

test("methods that took one rate need no further runs", async () => {
  const found = await smallTable({ dpo: 0.1, tdpo2: 0.05 });
  assert.deepEqual(found.others, []);
  assert.deepEqual(compareAtEqualRates(found), []);
});

test("the sentence says larger and not distinguishable where the numbers do", () => {
  const rows = [{ level: 0.8 }, { level: 0.85 }];
  const say = (mean, half) => {
    const one = { mean, half };
    const differences = { chosen: one, rejected: one, mean: one };
    return answerSentence({ rows, differences }, { held: "A", plain: "B" });
  };
  assert.match(say(0.2, 0.1), /\(0\.80 to 0\.85 by seed\) A has a larger KL than B/);
  assert.match(say(0.05, 0.1), /the KL of A is not distinguishable from that of B: .* \[−0\.050, 0\.150\]/);
  assert.match(answerSentence({ rows: [], differences: {} }, { held: "A", plain: "B" }), /no seed in common/);
});

test("a run that broke is in no mean, and the page names it", async () => {
  const found = await smallTable(
    { dpo: 0.1, tdpo2: 0.05 },
    { fails: ({ method, seed }) => method === "dpo" && seed === 2 },
  );
  const options = { command: "npm run table -- objectives", common, seeds: 3, pages: 1, fingerprint: "f00" };
  const page = objectivesPage(found, options);
  assert.match(page, /- dpo, seed 2, rate 0\.005: The loss was infinite\./);
  assert.match(page, /\| DPO \| 0\.900 ± 0\.000 \|/);
  assert.match(page, /\| DPO .* \| 16 \|\n\| TDPO2 .* \| 16776 \|/);
  assert.match(page, /Form \(`form`\) sum/);
  assert.doesNotMatch(page, /NaN|undefined/);
});
