/** The table of objectives: what is trained, and what is read from the runs. */
import { tInterval } from "./arithmetic.mjs";
import {
  columns,
  columnsOf,
  configOf,
  judgeOf,
  lengthOf,
  rowsAtEqualAccuracy,
  searchConfigs,
  searchResult,
  seedsUpTo,
  trainerOf,
} from "./training.mjs";

/** Methods in the order of the table. */
export const methodIds = ["sft", "dpo", "simpo", "tdpo1", "tdpo2", "ipo", "orpo", "kto", "apo_zero", "wdpo"];

export const EVAL_EVERY = 10;
/** Why these: a look at the search's seed alone, before any of the runs that are averaged. */
export const RATES_REASON =
  "A first look at SFT, DPO, SimPO, TDPO₁ and TDPO₂ with this seed alone tried 0.001, 0.003 and 0.01: at 0.001 next to nothing was learned, and DPO's samples scored 0.39 at 0.003 but 0.16 at 0.01. The two lower rates then gave way to those of the table, for all methods.";
/** The comparison that the paper of TDPO makes. */
export const COMPARED = { held: "tdpo2", plain: "dpo" };

/** What the table reads from a run's record. */
const ownColumns = {
  ...columns,
  length: ({ samplesAfter }) => lengthOf(samplesAfter),
  seconds: ({ steps }) => steps.at(-1).active_ms / 1000,
};
const baseColumns = {
  entropy: ({ evalBefore }) => evalBefore.eval_entropy,
  judge: ({ samplesBefore }) => judgeOf(samplesBefore),
  length: ({ samplesBefore }) => lengthOf(samplesBefore),
};

const ofMethod = (runs, id) => runs.filter(({ config }) => config.method === id);
const uniqueRates = (methods) => [...new Set(methods.map(({ search }) => search.rate))];

/**
 * Trains the search of every method, then its seeds, then what the comparison at one rate lacks. `train` and `price`
 * take a configuration and a worker; `announce` hears how many runs come next.
 */
export async function runObjectives({ objectives, workers, common, seeds, train, price, announce }) {
  const trainAll = trainerOf({ workers, train, announce });
  const seedsAt = (objective, learningRate) =>
    seedsUpTo(seeds).map((seed) =>
      configOf(objective, { ...common, seed, learningRate, evalEvery: EVAL_EVERY }),
    );
  const searches = await trainAll(objectives.flatMap((objective) => searchConfigs(objective, common)));
  const found = objectives.map((objective) => ({
    objective,
    search: searchResult(ofMethod(searches, objective.id)),
  }));
  const trained = await trainAll(found.flatMap(({ objective, search }) => seedsAt(objective, search.rate)));
  const methods = [];
  for (const method of found) {
    const runs = ofMethod(trained, method.objective.id);
    const { referenceBytesPerPair } = await price(runs[0].config, workers[0]);
    methods.push({ ...method, runs, bytes: referenceBytesPerPair });
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
  return columnsOf(ownColumns, runs);
}

/** The untouched model, by the same seeds' evaluations and samples before training. */
export function baseSummary({ runs }) {
  return columnsOf(baseColumns, runs);
}

/** KL of both methods at an accuracy that both reach, seed by seed, and the paired difference of each KL. */
export function compareAtEqualAccuracy(held, plain) {
  const rows = rowsAtEqualAccuracy(held, plain, "eval_kl/");
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
