/** The page of the table of OPTune, as Markdown. */
import { tInterval, verdict } from "./arithmetic.mjs";
import { bounds, failures, madeBy, plain, spread, table } from "./markdown.mjs";
import {
  BETA2,
  DEFAULT_CELL,
  frozen,
  fullOf,
  offline,
  onlineSettings,
  RATE_REASON,
  optuneRunName,
  SELECTIONS,
} from "./optune.mjs";
import {
  atEqualSeconds,
  bestOfRows,
  offlineColumns,
  onlineColumns,
  overPairs,
  pairlessShare,
  rise,
} from "./optuneNumbers.mjs";
import { courseSection, halvesSection, weightingSection } from "./optuneScorePage.mjs";
import { timeSection, timeSentences } from "./optuneTimePage.mjs";
import { paperShares } from "./paperOptune.mjs";
import { claim, pairedDifference, shapeSentence } from "./shape.mjs";
import { columnsOf, finished } from "./training.mjs";

const dash = "–";
const orDash = (interval, show) => (interval === null ? dash : show(interval));
const cellOf = (cells, id) => cells.find((cell) => cell.id === id && finished(cell.runs).length > 0);
/** The cells of the grid that have a run. */
const gridOf = (cells) => cells.filter(({ weighting, runs }) => weighting && finished(runs).length > 0);
const nameOf = ({ weighting, share, selection }) =>
  share === 1 ? `${weighting}, ρ 1` : `${weighting}, ρ ${share}, ${selection}`;

const head = [
  "pairs",
  "ρ",
  "drawn anew",
  "held-out judge",
  "Δ to ρ 1",
  "Δ at equal seconds",
  "win rate",
  "proxy judge",
  "KL",
  "seconds",
];

function gridRow(cells, cell) {
  const found = columnsOf(onlineColumns, cell.runs);
  const full = cell.share === 1 ? undefined : cellOf(cells, fullOf(cell.weighting));
  const differs = (read, options) => (full ? overPairs(cell.runs, full.runs, read, options) : null);
  const atEnd = (one, other) => onlineColumns.heldout(one) - onlineColumns.heldout(other);
  return [
    cell.share === 1 && cell.weighting === "plain" ? "plain (iterative DPO)" : cell.weighting,
    cell.share,
    cell.share === 1 ? "all" : cell.selection,
    spread(found.heldout, 3),
    orDash(differs(atEnd), (one) => bounds(one)),
    orDash(differs(atEqualSeconds, { isTimed: true }), (one) => bounds(one)),
    spread(found.winRate, 3),
    spread(found.proxy, 3),
    spread(found.kl, 2),
    spread(found.seconds, 1),
  ];
}

function baselineRows(cells) {
  const source = cellOf(cells, fullOf("plain")) ?? gridOf(cells)[0];
  const best = source ? bestOfRows(source.runs) : [];
  const rows = best.map(({ n, proxy, heldout }) => {
    const name = n === 1 ? "starting model" : `starting model, best of ${n}`;
    const scores = [spread(heldout, 3), dash, dash, dash, spread(proxy, 3)];
    return [name, dash, dash, ...scores, n === 1 ? "0" : dash, dash];
  });
  const set = cellOf(cells, offline.id);
  if (!set) return rows;
  const found = columnsOf(offlineColumns, set.runs);
  const cellsOf = [spread(found.heldout, 3), dash, dash, spread(found.winRate, 3), dash, dash];
  return [...rows, ["the set's own (offline DPO)", dash, dash, ...cellsOf, spread(found.seconds, 1)]];
}

/** Whether the held-out judge has risen at the studio's default setting, in one sentence. */
export function riseSentence(cells) {
  const cell = cellOf(cells, DEFAULT_CELL);
  if (!cell) return "The studio's default setting was not trained.";
  const found = tInterval(finished(cell.runs).map(rise));
  const change = `over ${onlineSettings.rounds} rounds at the studio's default setting (${nameOf(cell)}) the held-out judge changes by ${bounds(found)} over ${finished(cell.runs).length} seeds`;
  const reading = {
    larger: "the interval lies above zero: it has risen",
    smaller: "the interval lies below zero: it has fallen",
    "not distinguishable": "the interval holds zero: that it has risen is not shown",
  }[verdict(found)];
  return `Does training raise the held-out judge? ${change[0].toUpperCase()}${change.slice(1)}; ${found.half === null ? "one seed has no interval" : reading}.`;
}

/** Whether a share that the paper names is about as good as drawing every prompt anew. */
export function qualitySentence(cell, difference) {
  if (difference === null) return `${nameOf(cell)}: no seed in common with ρ 1.`;
  const found = `${nameOf(cell)}: the held-out judge differs from that of ρ 1 by ${bounds(difference)}`;
  if (difference.half === null) return `${found}; one seed has no interval.`;
  const lowest = difference.mean - difference.half;
  return {
    larger: `${found}: better, so this half of the claim is seen.`,
    smaller: `${found}: worse, which disagrees with the paper.`,
    "not distinguishable": `${found}: not distinguishable, and a loss of more than ${plain(Math.max(0, -lowest), 3)} is excluded.`,
  }[verdict(difference)];
}

function qualityLines(cells) {
  const named = gridOf(cells).filter(
    ({ share, selection }) => paperShares.includes(share) && selection === SELECTIONS[0],
  );
  return named.flatMap((cell) => {
    const full = cellOf(cells, fullOf(cell.weighting));
    if (!full) return [];
    return [`- ${qualitySentence(cell, pairedDifference(cell.runs, full.runs, onlineColumns.heldout))}`];
  });
}

/** The paper's ordering of the two ways to choose prompts, wherever both were trained. */
function selectionClaims(cells) {
  const ranked = gridOf(cells).filter(({ share, selection }) => share < 1 && selection === "lowest");
  return ranked.flatMap((over) => {
    const under = gridOf(cells).find(
      ({ weighting, share, selection }) =>
        weighting === over.weighting && share === over.share && selection === "random",
    );
    if (!under) return [];
    const text = `held-out judge of ${nameOf(over)} above random`;
    return [claim(text, pairedDifference(over.runs, under.runs, onlineColumns.heldout))];
  });
}

function answers(cells) {
  const claims = selectionClaims(cells);
  return `## What was asked, and what these runs say

${riseSentence(cells)}

The paper says that ρ 0.5 to 0.7 is about as good as drawing every prompt anew, and 1.27 to 1.56 times as fast.

${[...qualityLines(cells), ...timeSentences(cells)].join("\n")}

It also says that prompts with the lowest scores are better drawn anew than as many at random.

${claims.length === 0 ? "No share was trained both ways." : shapeSentence(claims)}`;
}

/** How much could not be used, and what the judges could not score. */
function lossesSentence(cells) {
  const records = gridOf(cells).flatMap(({ runs }) => finished(runs));
  if (records.length === 0) return "";
  const failed = records
    .flatMap(({ rounds }) => rounds)
    .reduce((sum, round) => sum + round.failures.length, 0);
  const shares = records.map(pairlessShare);
  return `On average ${plain(100 * (shares.reduce((a, b) => a + b) / shares.length), 1)} % of the prompts of a round had no pair (equal scores or equal texts), and
the judges failed on ${failed} answers.`;
}

function settingsPart({ defaultConfig, steps, backend }) {
  const { onlinePrompts, answersPerPrompt, sampleTokens, rounds, batchPairs, learningRate } = onlineSettings;
  return `## Settings

Preference set kind-endings, model ${defaultConfig.model}, on ${backend}; ${rounds} rounds of ${plain(steps / rounds, 0)} steps of ${batchPairs} pairs; ${onlinePrompts} training prompts, ${answersPerPrompt} answers of up
to ${sampleTokens} tokens to each, drawn at temperature ${defaultConfig.answerTemperature}; the best and the worst by the proxy judge become a pair. Every cell draws all prompts in
the first round; ρ is the share of every later round. Prompts are ranked by the mean score of their pair. The reference moves to the policy at
every round's start. LoRA rank 8, alpha ${defaultConfig.loraAlpha}, all linear layers; AdamW at ${learningRate}, schedule ${defaultConfig.schedule} after ${defaultConfig.warmupSteps} steps of warm-up, over the whole
run. β 0.5 for all; weighted pairs count σ(${BETA2}·gap), which is not divided by its mean. The paper's own weight is not public: this one is a
reconstruction. ${RATE_REASON}

The **proxy judge** is the embedded reward model \`story-kind\`, which ranks, chooses and weighs. The **held-out judge** is the program
\`kindEndings\`, which none of that sees.`;
}

/** The whole page. */
export function optunePage({ cells }, { command, common, seeds, fingerprint }) {
  const runs = cells.flatMap((cell) => cell.runs);
  const trained = gridOf(cells);
  const rows = [...baselineRows(cells), ...trained.map((cell) => gridRow(cells, cell))];
  const frozenCell = cellOf(cells, frozen.id);
  return `# OPTune: drawing anew only what scores low

${madeBy(runs, { command, fingerprint })}

${answers(cells)}

## Every cell

${table(head, rows)}

Means over ${seeds} seeds (1 to ${seeds}) ± half a 95 % t interval; differences as mean [low, high], paired by seed. The interval is of seeds alone: all
runs share the model, the judges and the prompts.

- **held-out judge** and **proxy judge**: mean scores of answers to ${onlineSettings.samplePrompts} held-out prompts after the last round, always from the same seed at
  temperature ${common.defaultConfig.sampleTemperature}. **win rate**: share of these
  prompts whose answer the held-out judge scores above that of the starting model; ties count half. **KL**: policy to starting model, nats an
  answer, on the same answers.
- **seconds**: drawing, scoring, reference and training of all rounds, without evaluations. For offline DPO they are those of its steps alone:
  the reference's numbers for the set come with the studio.
- **Δ at equal seconds**: the cell at its end, less what ρ 1 of the same seed and weighting had scored in as many seconds, on straight lines
  between its rounds; only where both ran in one sitting. The learning rate of ρ 1 has not come down to its end by then, that of the cell has.
- **best of n**: of the first n answers of the starting model the one that the proxy likes best. It trains nothing, and costs n answers each time.
- **offline DPO** learns from pairs of the set itself, which were written for this aim, and so from other prompts and answers than the cells.

${failures(runs, optuneRunName)} ${lossesSentence(cells)}

${timeSection(trained)}

${courseSection(trained)}

${halvesSection(trained, frozenCell)}

${weightingSection(trained)}

${settingsPart(common)}
`;
}
