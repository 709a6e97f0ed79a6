/** The table of FPO: what is trained, in the parts of the paper's own tables. */
import { featureShifts, median, mostMoved } from "./arithmetic.mjs";
import { paperAlphas, paperLayers } from "./paperFpo.mjs";
import {
  configOf,
  RATES,
  rowsAtEqualAccuracy,
  SEARCH_SEED,
  searchConfigs,
  searchResult,
  seedsUpTo,
  trainerOf,
} from "./training.mjs";

/** Parts that can be asked for alone; `added` belongs to `held`. */
export const fpoParts = ["methods", "ablation", "cost", "held", "added"];

/** Features of a top k: the paper's, by which evaluations measure every method. */
export const TOP_K = 50;
/**
 * The rows in the table's order; `params` are the knobs that are not the studio's defaults, `rate` is what the table of
 * objectives found by the same search.
 */
export const rows = [
  { id: "sft", method: "sft", rate: 1e-2 },
  { id: "dpo", method: "dpo", rate: 5e-3 },
  { id: "tdpo1", method: "tdpo1", rate: 1e-2 },
  { id: "tdpo2", method: "tdpo2", rate: 1e-2 },
  { id: "simpo", method: "simpo", rate: 5e-3 },
  { id: "fpo", method: "fpo", label: "FPO, β 0.1", params: { beta: 0.1, alpha: 0.5, topK: TOP_K } },
  { id: "fpo_scaled", method: "fpo", label: "FPO, β 2", params: { beta: 2, alpha: 0.5, topK: TOP_K } },
];
/** The rows that each part needs. */
const needed = {
  methods: rows.map(({ id }) => id),
  ablation: ["fpo_scaled"],
  cost: [],
  held: ["dpo", "fpo_scaled"],
  added: [],
};

/** The cell of both ablations that is a row of the first table already. */
export const SHARED = { alpha: 0.5, isHeld: true, layers: [2] };
/** Prompts that the rows' seeds draw answers to: half of what the search draws, which saves a fifth of a run. */
export const ROW_PROMPTS = 16;
/** Nothing is drawn and nothing is evaluated on the way where only the last accuracy and entropy are read. */
const figuresAlone = { samplePrompts: 1, evalEvery: 0 };

/** Timed runs: steps of each, those that are left out at its start, and how often all methods take their turn. */
export const COST_STEPS = 8;
export const COST_WARM = 2;
export const COST_ROUNDS = 3;
export const costModes = ["cached", "live"];

export const HELD_COUNT = 10;
export const HELD_EVERY = 5;
/** Up to the largest that the studio offers. */
export const HELD_ALPHAS = [0.5, 1, 2, 5];
/** Trained as well once the first answer was known: the weakest α that was tried, with DPO's rate for both. */
export const ADDED_ALPHA = 0.5;
export const HELD_PREFIX = "eval_features/held_mse_";

const saesOf = (layers) => layers.map((layer) => `story-${layer}`);

/**
 * Trains what the wanted parts need, the search first. `train` and `price` take a configuration and a worker; `announce`
 * hears how many runs come next. Parts that are not wanted are null in the answer.
 */
export async function runFpo({ objectives, parts, workers, common, seeds, train, price, announce }) {
  const own = { ...common, saes: saesOf(SHARED.layers) };
  const trainAll = trainerOf({ workers, train, announce });
  const context = { objectives, own, seeds, trainAll };
  const has = (part) => parts.includes(part);
  const wanted = rows.filter(({ id }) => parts.some((part) => needed[part].includes(id)));
  const searched = await searchRows(wanted, context);
  const moved = has("held") ? await mostMovedByDpo(searched, context) : { heldFeatures: [], searchRuns: [] };
  const methods = await trainRows(searched, { ...context, heldFeatures: moved.heldFeatures });
  const rowOf = (id) => methods.find((method) => method.id === id);
  return {
    methods,
    held: has("held")
      ? await runHeld([rowOf("dpo"), rowOf("fpo_scaled")], { ...moved, isAdded: has("added") }, context)
      : null,
    // One page alone, so that none takes time from another.
    cost: has("cost") ? await runCost({ ...context, worker: workers[0], train, price, announce }) : null,
    ablation: has("ablation") ? await runAblation(rowOf("fpo_scaled"), context) : null,
  };
}

const objectiveOf = ({ method, label }, objectives) => {
  const objective = objectives[method];
  return { ...objective, label: label ?? objective.label };
};

/** Trains the search of every row whose rate is not known. */
async function searchRows(wanted, { objectives, own, trainAll }) {
  const described = wanted.map((row) => ({ ...row, objective: objectiveOf(row, objectives) }));
  const unknown = described.filter(({ rate }) => rate === undefined);
  const trained = await trainAll(
    unknown.flatMap(({ objective, params }) => searchConfigs(objective, { ...own, params })),
  );
  return described.map((row) => {
    if (row.rate !== undefined) return { ...row, search: { rate: row.rate, candidates: [] }, searchRuns: [] };
    const first = unknown.indexOf(row) * RATES.length;
    const searchRuns = trained.slice(first, first + RATES.length);
    return { ...row, searchRuns, search: searchResult(searchRuns) };
  });
}

/** The features that DPO moves most with the search's seed. */
async function mostMovedByDpo(searched, { own, trainAll }) {
  const { objective, search } = searched.find(({ id }) => id === "dpo");
  const changes = { seed: SEARCH_SEED, learningRate: search.rate, ...figuresAlone };
  const searchRuns = await trainAll([configOf(objective, { ...own, ...changes })]);
  const [{ record }] = searchRuns;
  if (record.failure) throw new Error(`DPO did not come to its end: ${record.failure.message}`);
  return { heldFeatures: mostMoved(featureShifts(record), HELD_COUNT), searchRuns };
}

/** Trains the seeds of every row; DPO's are evaluated often, and measured on the held features as well. */
async function trainRows(searched, { own, seeds, trainAll, heldFeatures }) {
  const trained = await trainAll(
    searched.flatMap(({ id, objective, params, search: { rate } }) => {
      const measured = id === "dpo" ? { heldFeatures, evalEvery: HELD_EVERY } : { evalEvery: 0 };
      const changes = { params, learningRate: rate, samplePrompts: ROW_PROMPTS, ...measured };
      return seedsUpTo(seeds).map((seed) => configOf(objective, { ...own, seed, ...changes }));
    }),
  );
  return searched.map((row, index) => ({ ...row, runs: trained.slice(index * seeds, (index + 1) * seeds) }));
}

/** Trains FPO with every α, stop-gradient and choice of layers that the first table has not trained already. */
async function runAblation({ objective, params, search, runs }, { own, seeds, trainAll }) {
  const cells = [
    ...paperAlphas.flatMap(({ alpha }) =>
      [false, true].map((isHeld) => ({ alpha, isHeld, layers: SHARED.layers })),
    ),
    ...paperLayers.map(({ layers }) => ({ ...SHARED, layers })),
  ];
  const isShared = (cell) => JSON.stringify(cell) === JSON.stringify(SHARED);
  const configOfCell = ({ alpha, isHeld, layers }, seed) => {
    const knobs = { ...params, alpha, stopGradientChosen: isHeld ? 1 : 0 };
    const changes = { params: knobs, saes: saesOf(layers), learningRate: search.rate, ...figuresAlone };
    return configOf(objective, { ...own, seed, ...changes });
  };
  const others = cells.filter((cell) => !isShared(cell));
  // Seed after seed, so that a table that is ended has whole rows of cells.
  const trained = await trainAll(
    seedsUpTo(seeds).flatMap((seed) => others.map((cell) => configOfCell(cell, seed))),
  );
  const runsOf = (place) => trained.filter((_, index) => index % others.length === place);
  return cells.map((cell) => ({
    ...cell,
    runs: isShared(cell) ? runs : runsOf(others.indexOf(cell)),
  }));
}

/** Trains FPO on the held features with the α that the search's seed prefers, and without the constraint. */
async function runHeld([dpo, fpo], { heldFeatures, searchRuns, isAdded }, { own, seeds, trainAll }) {
  const measured = { ...own, heldFeatures, samplePrompts: 1, evalEvery: HELD_EVERY };
  const configAt = (alpha, seed, learningRate = fpo.search.rate) => {
    const params = { ...fpo.params, alpha, featureMode: 2 };
    return configOf(fpo.objective, { ...measured, params, seed, learningRate });
  };
  const plainConfig = configOf(dpo.objective, {
    ...measured,
    seed: SEARCH_SEED,
    learningRate: dpo.search.rate,
  });
  const [plain, ...tried] = await trainAll([
    plainConfig,
    ...HELD_ALPHAS.map((alpha) => configAt(alpha, SEARCH_SEED)),
  ]);
  const candidates = tried.flatMap((run, index) => {
    const [row] = rowsAtEqualAccuracy({ runs: [run] }, { runs: [plain] }, HELD_PREFIX);
    return row === undefined ? [] : [{ alpha: HELD_ALPHAS[index], ...row, ratio: ratioOf(row) }];
  });
  const { alpha } = chooseAlpha(candidates);
  const seedsAt = (strength, rate) =>
    trainAll(seedsUpTo(seeds).map((seed) => configAt(strength, seed, rate)));
  const runs = await seedsAt(alpha);
  const controlRuns = await seedsAt(0);
  const added = isAdded ? { rate: dpo.search.rate, runs: await seedsAt(ADDED_ALPHA, dpo.search.rate) } : null;
  return {
    heldFeatures,
    candidates,
    alpha,
    searchRuns: [...searchRuns, plain, ...tried],
    runs,
    controlRuns,
    added,
    plainRuns: dpo.runs,
  };
}

/** What is left of the drift of the held features. */
export const ratioOf = (row) => row.held.mean / row.plain.mean;

/** The α that keeps the smallest share of DPO's drift among those that are read at the highest accuracy. */
export function chooseAlpha(candidates) {
  if (candidates.length === 0) throw new Error("No α gave a run that came to its end.");
  return candidates.reduce((best, one) => {
    const isBetter = one.level === best.level ? one.ratio < best.ratio : one.level > best.level;
    return isBetter ? one : best;
  });
}

/** Prices and times every method with a remembered and with a live reference, in turn. */
async function runCost({ objectives, own, worker, train, price, announce }) {
  const timed = rows.filter(({ id }) => id !== "fpo");
  const kinds = timed.flatMap((row) => costModes.map((referenceMode) => ({ row, referenceMode })));
  const configOfKind = ({ row, referenceMode }, changes) =>
    configOf(objectives[row.method], {
      ...own,
      params: row.params,
      referenceMode,
      learningRate: RATES[0],
      seed: 1,
      ...changes,
    });
  announce(kinds.length * COST_ROUNDS);
  const runs = kinds.map(() => []);
  for (const seed of seedsUpTo(COST_ROUNDS))
    for (const [index, kind] of kinds.entries()) {
      const config = configOfKind(kind, { ...figuresAlone, seed, steps: COST_STEPS, evalPairs: 1 });
      runs[index].push({ config, record: await train(config, worker) });
    }
  const answers = [];
  for (const [index, kind] of kinds.entries())
    answers.push({
      id: kind.row.method,
      mode: kind.referenceMode,
      label: objectives[kind.row.method].label,
      price: await price(configOfKind(kind, { evalEvery: 0 }), worker),
      runs: runs[index],
    });
  return answers;
}

/** Milliseconds of a run's middle step, without those that compile. */
export function stepMilliseconds({ steps }) {
  const own = steps.map(({ active_ms }, index) => active_ms - (steps[index - 1]?.active_ms ?? 0));
  return median(own.slice(COST_WARM));
}
