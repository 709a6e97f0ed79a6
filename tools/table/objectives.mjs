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
  "A first look at SFT, DPO, SimPO, TDPO₁ and TDPO₂ with this seed alone tried 0.001, 0.003 and 0.01: at 0.001 next to nothing was learned, and DPO's samples scored 0.39 at 0.003 but 0.16 at 0.01. The two lower rates then gave way to those of the table, for all methods.";
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

const ofMethod = (runs, id) => runs.filter(({ config }) => config.method === id);
const uniqueRates = (methods) => [...new Set(methods.map(({ search }) => search.rate))];

/**
 * Trains the search of every method, then its seeds, then what the comparison at one rate lacks. `train` and `price`
 * take a configuration and a worker; `announce` hears how many runs come next.
 */
export async function runObjectives({ objectives, workers, common, seeds, train, price, announce }) {
  const trainAll = (configs) => {
    announce(configs.length);
    return shareOut(configs, workers, async (config, worker) => ({
      config,
      record: await train(config, worker),
    }));
  };
  const seedsAt = (objective, learningRate) =>
    Array.from({ length: seeds }, (_, index) =>
      configOf(objective, { ...common, seed: index + 1, learningRate, evalEvery: EVAL_EVERY }),
    );
  const searches = await trainAll(
    objectives.flatMap((objective) =>
      RATES.map((learningRate) =>
        configOf(objective, { ...common, seed: SEARCH_SEED, learningRate, evalEvery: 0 }),
      ),
    ),
  );
  const found = objectives.map((objective) => ({
    objective,
    search: searchResult(ofMethod(searches, objective.id)),
  }));
  const trained = await trainAll(found.flatMap(({ objective, search }) => seedsAt(objective, search.rate)));
  const methods = [];
  for (const method of found) {
    const runs = ofMethod(trained, method.objective.id);
    methods.push({ ...method, runs, bytes: await priceOf(runs[0].config, { price, worker: workers[0] }) });
  }
  const compared = comparedOf(methods);
  const rates = uniqueRates(compared);
  // Each rate that one of the two has and the other lacks; with equal rates there is nothing to add.
  const others = await trainAll(
    compared.flatMap(({ objective, search }) =>
      rates.filter((rate) => rate !== search.rate).flatMap((rate) => seedsAt(objective, rate)),
    ),
  );
  return { methods, searches, others };
}

async function priceOf(config, { price, worker }) {
  const whole = await price(config, worker);
  const single = await price({ ...config, evalPairs: 1 }, worker);
  return bytesPerTrainingPair({ whole, single, config });
}

/** The two methods whose KL is compared, the held one first; none unless both are in the table. */
export function comparedOf(methods) {
  const found = [COMPARED.held, COMPARED.plain].map((id) =>
    methods.find(({ objective }) => objective.id === id),
  );
  return found.includes(undefined) ? [] : found;
}

/** The comparison at each learning rate that either method has, with all runs at that rate; none for equal rates. */
export function compareAtEqualRates({ methods, others }) {
  const compared = comparedOf(methods);
  const rates = uniqueRates(compared);
  if (rates.length < 2) return [];
  return rates.map((rate) => {
    const [held, plain] = compared.map(({ objective, runs }) => ({
      runs: [...runs, ...ofMethod(others, objective.id)].filter(({ config }) => config.learningRate === rate),
    }));
    return { rate, held, plain, ...compareAtEqualAccuracy(held, plain) };
  });
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
