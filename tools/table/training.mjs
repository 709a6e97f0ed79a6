/** What the runs of every table have in common: settings, the search for a learning rate, and what is read from them. */
import { mean } from "../results/statistics.mjs";
import { chooseRate, commonLevel, firstAt, pointsOf, tInterval } from "./arithmetic.mjs";
import { shareOut } from "./runCache.mjs";

/** What every run has in common, beside the start preset. */
export const settings = {
  data: "kind-endings",
  loraRank: 8,
  batchPairs: 4,
  evalPairs: 64,
  samplePrompts: 32,
  sampleTokens: 32,
};
export const STEPS = 40;
export const SEEDS = 5;
/** The one seed of the search for the learning rate; the others are 1, 2, 3 and so on. */
export const SEARCH_SEED = 1000;
/** Tried for every method. */
export const RATES = [2.5e-3, 5e-3, 1e-2];
/** A comparison at equal accuracy is made at this one, or at the highest that both methods reach. */
export const LEVEL_CAP = 0.85;

/** What a run's numbers are read from: only answers that were drawn, as the followed prompts have greedy ones too. */
const seeded = (samples) => samples.filter(({ mode }) => mode === "seeded");
/** Mean score of drawn answers. */
export const judgeOf = (samples) => mean(seeded(samples).map(({ judgeScore }) => judgeScore));
/** Mean tokens of drawn answers. */
export const lengthOf = (samples) => mean(seeded(samples).map(({ tokens }) => tokens.length));

/** What both tables read from a run's record. */
export const columns = {
  accuracy: ({ evalAfter }) => evalAfter["eval_accuracies/logratio"],
  entropy: ({ evalAfter }) => evalAfter.eval_entropy,
  klChosen: ({ evalAfter }) => evalAfter["eval_kl/chosen"],
  klRejected: ({ evalAfter }) => evalAfter["eval_kl/rejected"],
  judge: ({ samplesAfter }) => judgeOf(samplesAfter),
};

/** Records of the runs that came to their end. */
export const finished = (runs) => runs.filter(({ record }) => !record.failure).map(({ record }) => record);

/** Mean and interval of every reader over the runs that came to their end. */
export const columnsOf = (readers, runs) =>
  Object.fromEntries(
    Object.entries(readers).map(([name, read]) => [name, tInterval(finished(runs).map(read))]),
  );

/** Seeds 1, 2, 3 and so on. */
export const seedsUpTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

/** The configuration of one run: common settings, then the objective's knobs but for `params`, then `changes`. */
export function configOf(objective, { defaultConfig, steps, backend, params, ...changes }) {
  const knobs = Object.fromEntries(objective.parameters.map((knob) => [knob.key, knob.default]));
  const own = { method: objective.id, params: { ...knobs, ...params }, steps, backend };
  return { ...defaultConfig, ...settings, ...own, ...changes };
}

/** A run in a few words, for the log and the list of those that broke. */
export const runName = ({ method, seed, learningRate }) => `${method}, seed ${seed}, rate ${learningRate}`;

/** Trains configurations on whichever worker is free; resolves to `{ config, record }` in their order. */
export function trainerOf({ workers, train, announce }) {
  return (configs) => {
    announce(configs.length);
    return shareOut(configs, workers, async (config, worker) => ({
      config,
      record: await train(config, worker),
    }));
  };
}

/** The configurations of one method's search; `own` is all that its configurations need but seed and rate. */
export function searchConfigs(objective, own) {
  return RATES.map((learningRate) =>
    configOf(objective, { ...own, seed: SEARCH_SEED, learningRate, evalEvery: 0 }),
  );
}

/** What the search found for one method. */
export function searchResult(runs) {
  const candidates = runs.map(({ config, record }) => ({
    rate: config.learningRate,
    judge: record.failure ? NaN : columns.judge(record),
    accuracy: record.failure ? NaN : columns.accuracy(record),
  }));
  return { candidates, rate: chooseRate(candidates).rate };
}

/** The record of the same seed among the runs that came to their end. */
export const ofSeed = (runs, seed) =>
  runs.find(({ config, record }) => config.seed === seed && !record.failure)?.record;

/**
 * What two methods measure at an accuracy that both reach, seed by seed. `prefix` names the metric: its two sides are
 * `<prefix>chosen` and `<prefix>rejected`.
 */
export function rowsAtEqualAccuracy(held, plain, prefix) {
  return held.runs.flatMap(({ config: { seed }, record }) => {
    const other = ofSeed(plain.runs, seed);
    if (record.failure || other === undefined) return [];
    const [heldPoints, plainPoints] = [record, other].map(({ evaluations }) => pointsOf(evaluations, prefix));
    const level = commonLevel([heldPoints, plainPoints], LEVEL_CAP);
    return [{ seed, level, held: firstAt(heldPoints, level), plain: firstAt(plainPoints, level) }];
  });
}
