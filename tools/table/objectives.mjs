/** The table of objectives: what is trained, and what is read from the runs. */
import { mean } from "../results/statistics.mjs";
import { chooseRate, commonLevel, firstAt, pointsOf, tInterval } from "./arithmetic.mjs";
import { shareOut } from "./runCache.mjs";

/** Methods in the order of the table. */
export const methodIds = ["sft", "dpo", "simpo", "tdpo1", "tdpo2", "ipo", "orpo", "kto", "apo_zero", "wdpo"];

/** What every run has in common, beside the start preset. */
export const settings = {
  data: "kind-endings",
  loraRank: 8,
  batchPairs: 4,
  evalPairs: 64,
  samplePrompts: 32,
  sampleTokens: 32,
};
export const EVAL_EVERY = 10;
export const STEPS = 40;
export const SEEDS = 5;
/** The one seed of the search for the learning rate; the others are 1, 2, 3 and so on. */
export const SEARCH_SEED = 1000;
/** Tried for every method. */
export const RATES = [2.5e-3, 5e-3, 1e-2];
/** Why these: a look at the search's seed alone, before any of the runs that are averaged. */
export const RATES_REASON =
  "A first look, with the first five methods and the search's seed alone, tried 0.001, 0.003 and 0.01: at 0.001 next to nothing was learned, and DPO went from little at 0.003 to sentences that fall apart at 0.01.";
/** The comparison of KL is made at this accuracy, or at the highest that both methods reach. */
export const LEVEL_CAP = 0.85;
/** The comparison that the paper of TDPO makes. */
export const COMPARED = { held: "tdpo2", plain: "dpo" };

/** What a run's numbers are read from: only answers that were drawn, as the followed prompts have greedy ones too. */
const seeded = (samples) => samples.filter(({ mode }) => mode === "seeded");
const judgeOf = (samples) => mean(seeded(samples).map(({ judgeScore }) => judgeScore));
const lengthOf = (samples) => mean(seeded(samples).map(({ tokens }) => tokens.length));

const columns = {
  accuracy: ({ evalAfter }) => evalAfter["eval_accuracies/logratio"],
  entropy: ({ evalAfter }) => evalAfter.eval_entropy,
  klChosen: ({ evalAfter }) => evalAfter["eval_kl/chosen"],
  klRejected: ({ evalAfter }) => evalAfter["eval_kl/rejected"],
  judge: ({ samplesAfter }) => judgeOf(samplesAfter),
  length: ({ samplesAfter }) => lengthOf(samplesAfter),
  seconds: ({ steps }) => steps.at(-1).active_ms / 1000,
};
const baseColumns = {
  entropy: ({ evalBefore }) => evalBefore.eval_entropy,
  judge: ({ samplesBefore }) => judgeOf(samplesBefore),
  length: ({ samplesBefore }) => lengthOf(samplesBefore),
};

const columnsOf = (readers, runs) =>
  Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, tInterval(runs.map(read))]));

/** The configuration of one run. */
export function configOf(objective, { defaultConfig, seed, learningRate, steps, backend, evalEvery }) {
  const params = Object.fromEntries(objective.parameters.map((knob) => [knob.key, knob.default]));
  const own = { method: objective.id, params, seed, learningRate, steps, backend, evalEvery };
  return { ...defaultConfig, ...settings, ...own };
}

/**
 * Bytes that are remembered of the reference for one training pair. A pre-flight counts training and held-out pairs
 * together; a second one with a single held-out pair tells them apart.
 */
export function bytesPerTrainingPair({ whole, single, config }) {
  const heldout = Math.min(whole.heldoutPairs, config.evalPairs);
  const used = Math.min(whole.trainPairs, config.steps * config.batchPairs * config.accumulationSteps);
  const perHeldout = (whole.referenceBytes - single.referenceBytes) / (heldout - 1);
  return (whole.referenceBytes - heldout * perHeldout) / used;
}

/** What the search found for one method. */
function searchResult(runs) {
  const candidates = runs.map(({ config, record }) => ({
    rate: config.learningRate,
    judge: record.failure ? NaN : columns.judge(record),
    accuracy: record.failure ? NaN : columns.accuracy(record),
  }));
  return { candidates, rate: chooseRate(candidates).rate };
}

/** Trains the search of every method, then its seeds; `train` and `price` take a configuration and a worker. */
export async function runObjectives({ objectives, workers, common, seeds, train, price }) {
  const searches = objectives.flatMap((objective) =>
    RATES.map((learningRate) =>
      configOf(objective, { ...common, seed: SEARCH_SEED, learningRate, evalEvery: 0 }),
    ),
  );
  const trainAll = (configs) =>
    shareOut(configs, workers, async (config, worker) => ({ config, record: await train(config, worker) }));
  const tried = await trainAll(searches);
  const ofMethod = (runs, id) => runs.filter(({ config }) => config.method === id);
  const found = new Map(objectives.map(({ id }) => [id, searchResult(ofMethod(tried, id))]));

  const finals = objectives.flatMap((objective) =>
    Array.from({ length: seeds }, (_, index) => {
      const learningRate = found.get(objective.id).rate;
      return configOf(objective, { ...common, seed: index + 1, learningRate, evalEvery: EVAL_EVERY });
    }),
  );
  const trained = await trainAll(finals);
  const [worker] = workers;
  const methods = [];
  for (const objective of objectives) {
    const runs = ofMethod(trained, objective.id);
    const whole = await price(runs[0].config, worker);
    const single = await price({ ...runs[0].config, evalPairs: 1 }, worker);
    methods.push({
      objective,
      search: found.get(objective.id),
      runs,
      bytes: bytesPerTrainingPair({ whole, single, config: runs[0].config }),
    });
  }
  return { methods, searches: tried };
}

/** Means and intervals of a method over the seeds whose runs came to their end. */
export function summaryOf({ runs }) {
  return columnsOf(columns, finished(runs));
}

/** The untouched model, by the same seeds' evaluations and samples before training. */
export function baseSummary({ runs }) {
  return columnsOf(baseColumns, finished(runs));
}

function finished(runs) {
  return runs.filter(({ record }) => !record.failure).map(({ record }) => record);
}

/** KL of both methods at an accuracy that both reach, seed by seed, and the paired difference of each KL. */
export function compareAtEqualAccuracy(held, plain) {
  const rows = held.runs.flatMap(({ config: { seed }, record }) => {
    const other = plain.runs.find(({ config }) => config.seed === seed)?.record;
    if (record.failure || !other || other.failure) return [];
    const [heldPoints, plainPoints] = [record, other].map(({ evaluations }) => pointsOf(evaluations));
    const level = commonLevel([heldPoints, plainPoints], LEVEL_CAP);
    return [{ seed, level, held: firstAt(heldPoints, level), plain: firstAt(plainPoints, level) }];
  });
  const differenceOf = (key) => tInterval(rows.map((row) => row.held[key] - row.plain[key]));
  return {
    rows,
    differences: {
      chosen: differenceOf("chosen"),
      rejected: differenceOf("rejected"),
      mean: differenceOf("mean"),
    },
  };
}
