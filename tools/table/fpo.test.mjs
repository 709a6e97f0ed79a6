import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { featureShifts, median, mostMoved } from "./arithmetic.mjs";
import { chooseAlpha, COST_ROUNDS, fpoParts, HELD_ALPHAS, rows, runFpo, stepMilliseconds } from "./fpo.mjs";
import { heldSentence } from "./fpoHeldPage.mjs";
import { fpoPage } from "./fpoPage.mjs";
import { claim, pairedDifference, shapeSentence } from "./shape.mjs";
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
const knob = (key, value) => ({ key, label: key, default: value });
const objectives = Object.fromEntries(
  ["sft", "dpo", "tdpo1", "tdpo2", "simpo", "fpo"].map((id) => [
    id,
    {
      id,
      label: id.toUpperCase(),
      needs: [],
      parameters:
        id === "fpo"
          ? [knob("beta", 2), knob("alpha", 0.5), knob("topK", 16), knob("stopGradientChosen", 1)]
          : [knob("beta", 0.5)],
    },
  ]),
);

/** A run whose accuracy rises to 0.9 at step 20 while the held drift grows in a straight line to `drift`. */
function recordOf(config) {
  const { method, params, seed, learningRate, steps, referenceMode, saes } = config;
  const drift = (params.featureMode === 2 ? 1 / (1 + params.alpha) : 1) * (1 + seed / 100);
  const accuracy = 0.9 - 0.02 * (saes.length - 1) - 0.02 * (params.alpha ?? 0);
  const evaluations = [0, 10, 20].map((step) => ({
    step,
    "eval_accuracies/logratio": [0.6, 0.7, accuracy][step / 10],
    "eval_kl/chosen": step,
    "eval_kl/rejected": step,
    "eval_features/mse_chosen": method === "fpo" ? 0.1 : 0.2,
    "eval_features/mse_rejected": method === "fpo" ? 0.1 + seed / 1000 : 0.2,
    "eval_features/held_mse_chosen": (drift * step) / 20,
    "eval_features/held_mse_rejected": (3 * drift * step) / 20,
    eval_entropy: method === "fpo" ? 0.4 + 0.001 * seed : 0.5,
  }));
  const judgeScore = learningRate === RATES[1] ? 0.5 : 0.1;
  const stepTime = method === "fpo" ? 90 : referenceMode === "live" ? 120 : 100;
  return {
    config,
    commit: "abc",
    environment: { backend: "cpu", device: "CPU", userAgent: "HeadlessChrome/1.0" },
    evaluations,
    evalAfter: evaluations.at(-1),
    samplesAfter: [{ mode: "seeded", judgeScore, tokens: ["a"] }],
    steps: Array.from({ length: steps }, (_, index) => ({ active_ms: 500 + stepTime * index })),
    featuresBefore: { saes, chosen: Array(20).fill(1), rejected: Array(20).fill(1) },
    // Feature i moves by i / 10 on one side: the last ten are the held set.
    featuresAfter: {
      saes,
      chosen: Array.from({ length: 20 }, (_, i) => 1 + i / 10),
      rejected: Array(20).fill(1),
    },
  };
}

async function smallTable({ parts = fpoParts, fails = () => false } = {}) {
  const asked = [];
  let announced = 0;
  const found = await runFpo({
    objectives,
    parts,
    workers: ["page"],
    common,
    seeds: 3,
    announce: (count) => {
      announced += count;
    },
    train: async (config) => {
      asked.push(config);
      return fails(config)
        ? { failure: { code: "NUM-1", message: "The loss was infinite." }, commit: "abc" }
        : recordOf(config);
    },
    price: async ({ method, referenceMode }) => ({
      memoryBytes: { weights: 1_048_576, activations: method === "tdpo2" ? 2_097_152 : 1_048_576 },
      referenceBytesPerPair: referenceMode === "live" ? 0 : 16,
    }),
  });
  assert.equal(asked.length, announced);
  return { found, asked };
}
const page = (found) =>
  fpoPage(found, { command: "npm run table -- fpo", common, seeds: 3, pages: 1, fingerprint: "f00" });

describe("what is trained", () => {
  test("FPO is searched for, and its seeds take the rate that the judge likes best; other rates are known", async () => {
    const { asked } = await smallTable({ parts: ["methods"] });
    // Only the two rows of FPO are searched for.
    assert.equal(asked.length, 2 * RATES.length + rows.length * 3);
    const finals = asked.filter(({ seed }) => seed !== SEARCH_SEED);
    assert.deepEqual(
      finals.filter(({ seed }) => seed === 1).map(({ learningRate }) => learningRate),
      rows.map(({ rate }) => rate ?? RATES[1]),
    );
    const ofFpo = finals.filter(({ method, seed }) => method === "fpo" && seed === 1);
    assert.deepEqual(
      ofFpo.map(({ params }) => [params.beta, params.alpha, params.topK]),
      [
        [0.1, 0.5, 50],
        [2, 0.5, 50],
      ],
    );
    assert.ok(asked.every(({ saes }) => saes.join() === "story-2"));
  });

  test("the ablations vary one setting and share the cell that the first table has", async () => {
    const { asked, found } = await smallTable({ parts: ["ablation"] });
    const varied = asked.filter(({ seed }) => seed === 1);
    // 8 cells of α and 6 of layers, of which one each is the row of the table itself.
    assert.equal(varied.length, 1 + 7 + 5);
    assert.deepEqual(
      varied.filter(({ saes }) => saes.length > 1).map(({ saes }) => saes.join()),
      ["story-0,story-2", "story-1,story-2", "story-0,story-1,story-2"],
    );
    for (const { alpha, isHeld, layers, runs } of found.ablation)
      for (const { config } of runs)
        assert.deepEqual(
          [config.params.alpha, config.params.stopGradientChosen, config.saes],
          [alpha, isHeld ? 1 : 0, layers.map((layer) => `story-${layer}`)],
        );
  });

  test("the held set is what DPO moves most, and both methods are measured on it", async () => {
    const { asked, found } = await smallTable({ parts: ["held", "added"] });
    const lastTen = Array.from({ length: 10 }, (_, index) => 10 + index);
    assert.deepEqual(found.held.heldFeatures, lastTen);
    const measured = asked.filter(({ evalEvery }) => evalEvery === 5);
    assert.ok(measured.every(({ heldFeatures }) => heldFeatures.join() === lastTen.join()));
    // DPO at the search's seed and at three others, FPO with every α, and at three seeds with and without the constraint
    // and with the α that was added.
    assert.equal(measured.length, 4 + HELD_ALPHAS.length + 9);
    // The larger α, the smaller the drift; but α 5 reaches the common accuracy no more: 0.9 − 0.1.
    assert.equal(found.held.alpha, 2);
    assert.ok(found.held.runs.every(({ config }) => config.params.featureMode === 2));
  });

  test("the cost is taken in turn, with both kinds of reference", async () => {
    const { asked, found } = await smallTable({ parts: ["cost"] });
    assert.equal(asked.length, 6 * 2 * COST_ROUNDS);
    assert.deepEqual(
      asked.slice(0, 4).map(({ method, referenceMode, seed }) => [method, referenceMode, seed]),
      [
        ["sft", "cached", 1],
        ["sft", "live", 1],
        ["dpo", "cached", 1],
        ["dpo", "live", 1],
      ],
    );
    assert.equal(stepMilliseconds(found.cost[0].runs[0].record), 100);
  });
});

describe("the numbers", () => {
  test("a shift is the mean of both sides' squared changes, and equal ones go to the lower number", () => {
    const shifts = featureShifts({
      featuresBefore: { chosen: [0, 1, 2, 0], rejected: [0, 0, 0, 0] },
      featuresAfter: { chosen: [3, 1, 0, 0], rejected: [1, 2, 0, 2] },
    });
    assert.deepEqual(shifts, [5, 2, 2, 2]);
    assert.deepEqual(mostMoved(shifts, 2), [0, 1]);
    assert.deepEqual(mostMoved([1, 9, 4], 2), [1, 2]);
  });

  test("a median is the middle one, or the mean of two", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
  });

  test("α is the one with the least drift among those at the highest accuracy", () => {
    const candidates = [
      { alpha: 1, level: 0.85, ratio: 0.8 },
      { alpha: 2, level: 0.85, ratio: 0.4 },
      { alpha: 8, level: 0.7, ratio: 0.1 },
    ];
    assert.equal(chooseAlpha(candidates).alpha, 2);
    assert.throws(() => chooseAlpha([]), /No α/);
  });

  test("under half is said only where the whole interval is", () => {
    // Mean 0.4, deviation 0.01: ± 4.303 · 0.01 / √3 = 0.025.
    assert.match(
      heldSentence([0.39, 0.4, 0.41]),
      /leaves 0\.400 \[0\.375, 0\.425\] .* 3 seeds: under half\.$/,
    );
    assert.match(heldSentence([0.6, 0.61, 0.59]), /: not under half\.$/);
    assert.match(heldSentence([0.2, 0.4, 0.6]), /as far as these seeds can tell/);
    assert.match(heldSentence([]), /No seed/);
  });
});

describe("the paper's orderings", () => {
  const runsOf = (values) => values.map((value, seed) => ({ config: { seed }, record: { value } }));
  const read = ({ value }) => value;

  test("are read from paired differences", () => {
    // Differences 1, 2, 3: 2 ± 4.303 · 1 / √3.
    const { mean, half } = pairedDifference(runsOf([11, 22, 33]), runsOf([10, 20, 30]), read);
    assert.equal(mean, 2);
    assert.ok(Math.abs(half - 4.303 / Math.sqrt(3)) < 1e-3);
    const failed = [{ config: { seed: 0 }, record: { failure: {} } }];
    assert.equal(pairedDifference(failed, runsOf([1]), read), null);
  });

  test("are seen, reversed or not distinguishable", () => {
    const text = shapeSentence([
      claim("A above B", { mean: 1, half: 0.5 }),
      claim("B above C", { mean: -1, half: 0.5 }),
      claim("C above D", { mean: 1, half: 2 }),
      claim("D above E", null),
    ]);
    assert.match(
      text,
      /Of 4 orderings of the paper 1 is seen here, 1 is reversed, and 2 are not distinguishable/,
    );
    assert.match(text, /- Seen: A above B \(1\.000 \[0\.500, 1\.500\]\)\.\n/);
    assert.match(text, /- Reversed: B above C/);
    assert.match(text, /- Not distinguishable: C above D .*; D above E \(no common seed\)\.$/);
  });
});

describe("the page", () => {
  test("has all parts and the paper's numbers, and no hole", async () => {
    const { found } = await smallTable();
    const text = page(found);
    assert.doesNotMatch(text, /NaN|undefined|null/);
    assert.match(text, /\| FPO, β 2 \| 0\.890 ± 0\.000 \| 64\.1 \| 0\.402 ± 0\.002 \| 1\.68 \|/);
    assert.match(text, /Seen: .*drift of DPO above FPO, β 2/);
    assert.match(text, /Reversed: .*entropy of FPO, β 0\.1 above DPO/);
    assert.match(text, /\| 0, 1, 2 \| 0\.850 ± 0\.000 \| 51\.4 \|/);
    assert.match(text, /\| 0, 2 \| 0\.\d+ ± 0\.\d+ \| 62\.1 \|/);
    assert.match(text, /\| TDPO2 \| in every step \| 3\.00 \| 0 \|/);
    assert.match(text, /memory of TDPO2 above TDPO1, MiB \(1\.00/);
    assert.match(text, /feature mode "held"\) at β 2, α 2/);
    // 0.85 is met at step 17.5 on DPO's way to 0.9 and at 19.375 on FPO's to 0.86, which has a third of the slope.
    assert.match(text, /FPO leaves 0\.369 \[0\.369, 0\.369\] of DPO's drift/);
    assert.match(text, /\| α 0 +\| 1\.000 ± 0\.000 \| 0\.\d+ ± /);
    assert.match(text, /found for them in \[objectives\.md\].*: SFT 0\.01, DPO 0\.005/);
    assert.match(text, /All runs came to their end\./);
  });

  test("has only the parts that were asked for, and names a run that broke", async () => {
    const { found } = await smallTable({
      parts: ["ablation"],
      fails: ({ params, seed }) => params.alpha === 2 && seed === 2,
    });
    const text = page(found);
    assert.doesNotMatch(text, /Table 2|Figure 4|NaN|undefined/);
    assert.match(text, /- fpo, seed 2, rate 0\.005: The loss was infinite\./);
  });
});
