/** What a round spends its time on, and how much faster fewer drawn prompts make it, as Markdown. */
import { tInterval } from "./arithmetic.mjs";
import { bounds, plain, spread, table } from "./markdown.mjs";
import { fullOf, onlineSettings, SELECTIONS, weightings } from "./optune.mjs";
import {
  generationShare,
  laterSeconds,
  overPairs,
  roundSpeedUp,
  runSpeedUp,
  secondsOf,
  STAGES,
} from "./optuneNumbers.mjs";
import { paperSpeedUps } from "./paperOptune.mjs";
import { finished } from "./training.mjs";

const dash = "–";
const orDash = (interval, show = (one) => bounds(one, 2)) => (interval === null ? dash : show(interval));

/** The run of the same weighting that draws every prompt; undefined where it was not trained. */
const fullCell = (trained, { weighting }) => trained.find(({ id }) => id === fullOf(weighting));

/** Speed-ups of a cell over ρ 1: those that generation's share gives, and those that were measured, by seed. */
export function speedUpsOf(cell, full) {
  const { rounds } = onlineSettings;
  const shares = finished(full.runs).map(generationShare);
  const measured = (read) =>
    overPairs(cell.runs, full.runs, (one, other) => read(other) / read(one), { isTimed: true });
  return {
    roundExpected: tInterval(shares.map((share) => roundSpeedUp(share, cell.share))),
    roundMeasured: measured(laterSeconds),
    runExpected: tInterval(shares.map((share) => runSpeedUp(share, cell.share, rounds))),
    runMeasured: measured(secondsOf),
  };
}

function stageTable(trained) {
  const rows = trained.map(({ weighting, share, selection, runs }) => {
    const records = finished(runs);
    const stages = STAGES.map((stage) => tInterval(records.map((record) => laterSeconds(record, [stage]))));
    const drawn = records.flatMap((record) => record.rounds.slice(1));
    const [generated, saved] = ["generatedTokens", "savedTokens"].map((key) =>
      drawn.reduce((sum, round) => sum + round[key], 0),
    );
    return [
      weighting,
      share,
      share === 1 ? "all" : selection,
      ...stages.map((one) => spread(one, 2)),
      spread(tInterval(records.map((record) => laterSeconds(record))), 2),
      `${plain((100 * generated) / (generated + saved), 0)} %`,
    ];
  });
  return table(["pairs", "ρ", "drawn anew", ...STAGES, "all", "tokens drawn"], rows);
}

function speedTable(trained) {
  const rows = trained.flatMap((cell) => {
    const full = fullCell(trained, cell);
    if (cell.share === 1 || !full) return [];
    const found = speedUpsOf(cell, full);
    const paper = paperSpeedUps[cell.share];
    return [
      [
        cell.weighting,
        cell.share,
        cell.selection,
        ...[found.roundExpected, found.roundMeasured, found.runExpected, found.runMeasured].map((one) =>
          orDash(one),
        ),
        found.runMeasured?.pairs ?? 0,
        paper === undefined ? dash : plain(paper, 2),
      ],
    ];
  });
  const titles = ["round, expected", "round, measured", "run, expected", "run, measured", "seeds", "paper"];
  return rows.length === 0
    ? "Without ρ 1 there is nothing to compare with."
    : table(["pairs", "ρ", "drawn anew", ...titles], rows);
}

/** Generation's share of a round that draws every prompt, in one sentence for each weighting that was trained. */
export function shareSentences(trained) {
  return Object.keys(weightings).flatMap((weighting) => {
    const full = trained.find(({ id }) => id === fullOf(weighting));
    if (!full) return [];
    const share = tInterval(finished(full.runs).map(generationShare));
    return [`- ${weighting} pairs: g = ${bounds(share)}.`];
  });
}

/** How the measured speed-ups lie to the paper's, a line for each cell that the paper names. */
export function timeSentences(cells) {
  const trained = cells.filter(({ weighting, runs }) => weighting && finished(runs).length > 0);
  return trained.flatMap((cell) => {
    const paper = paperSpeedUps[cell.share];
    const full = fullCell(trained, cell);
    if (paper === undefined || cell.selection !== SELECTIONS[0] || !full) return [];
    return [
      `- ${cell.weighting}, ρ ${cell.share}, ${cell.selection}: ${speedSentence(speedUpsOf(cell, full), paper)}`,
    ];
  });
}

/** One cell's speed-ups in words, beside the paper's. */
export function speedSentence({ roundMeasured, runMeasured }, paper) {
  if (roundMeasured === null) return "no seed ran in one sitting with ρ 1, so no time was compared.";
  const times = `a round after the first is ${bounds(roundMeasured, 2)} times as fast as at ρ 1, and a whole run ${bounds(runMeasured, 2)} times`;
  const { mean, half } = roundMeasured;
  if (half === null) return `${times}; one seed has no interval.`;
  const inside = Math.abs(paper - mean) <= half;
  const place = inside
    ? "lies within the interval of a round"
    : `lies ${paper > mean ? "above" : "below"} the interval of a round`;
  return `${times}. The paper's ${plain(paper, 2)} ${place}.`;
}

/** Seconds by stage, generation's share, and speed-ups expected and measured. */
export function timeSection(trained) {
  return `## Time

Mean seconds of a round after the first, by what they were spent on; **tokens drawn** as a share of those that drawing every prompt would have
taken.

${stageTable(trained)}

Generation's share g of such a round at ρ 1, drawing and scoring together (the paper's two figures both imply about 0.72):

${shareSentences(trained).join("\n")}

${speedTable(trained)}

- **expected**: 1 / (1 − g(1 − ρ)) for a round, and R / (1 + (R − 1)(1 − g(1 − ρ))) for a run of R = ${onlineSettings.rounds} rounds, whose first draws every prompt; g of each seed.
- **measured**: seconds at ρ 1 over those of the cell, without evaluations. Ratios are taken within a seed and a sitting, in which all cells of the
  seed ran one after the other, one at a time, in an order that the seed decides; a run that is thrown away came first. Weighted and plain cells had
  sittings of their own on the two cores of one machine, which had other work as well: that is why measured ratios vary so much. **seeds** counts these pairs.
- **paper**: it names the range 1.27 to 1.56; which end belongs to which ρ is inferred.`;
}
