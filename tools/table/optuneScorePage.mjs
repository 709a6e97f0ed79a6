/** How scores go on from round to round, by half of the prompts and by weighting, as Markdown. */
import { tInterval } from "./arithmetic.mjs";
import { bounds, plain, spread, table } from "./markdown.mjs";
import { BETA2, onlineSettings } from "./optune.mjs";
import { courseOf, halfGain, onlineColumns, overPairs, weightColumns } from "./optuneNumbers.mjs";
import { claim, shapeSentence } from "./shape.mjs";
import { columnsOf, finished } from "./training.mjs";

const afterText = (rounds) => (rounds === 0 ? "start" : `after ${rounds}`);

/** Judge score and win rate against seconds: a cell of the page for every round of every cell. */
export function courseSection(trained) {
  const ends = Array.from({ length: onlineSettings.rounds + 1 }, (_, rounds) => rounds);
  const rows = trained.map(({ weighting, share, selection, runs }) => {
    const courses = finished(runs).map(courseOf);
    const points = ends.map((rounds) => {
      const there = courses.flatMap((course) => course.slice(rounds, rounds + 1));
      if (there.length === 0) return "–";
      const meanOf = (key) => tInterval(there.map((point) => point[key])).mean;
      const win = rounds === 0 ? "" : `, ${plain(meanOf("winRate"), 3)}`;
      return `${plain(meanOf("heldout"), 3)}${win} (${plain(meanOf("seconds"), 1)} s)`;
    });
    return [weighting, share, share === 1 ? "all" : selection, ...points];
  });
  return `## Held-out judge and win rate against seconds

Means over the seeds after every round: held-out judge, win rate (seconds so far, without evaluations).

${table(["pairs", "ρ", "drawn anew", ...ends.map(afterText)], rows)}`;
}

const gainRow = (name, runs) => {
  const records = finished(runs);
  const [low, high] = ["lowest", "highest"].map((half) =>
    tInterval(records.map((record) => halfGain(record, half))),
  );
  const difference = tInterval(
    records.map((record) => halfGain(record, "lowest") - halfGain(record, "highest")),
  );
  return { name, runs, low, high, difference };
};

/** What the half with the lowest scores gains when it is drawn anew, and what the other half does. */
export function halvesSection(trained, frozenCell) {
  const full = trained.filter(({ share }) => share === 1);
  const learning = full.map(({ weighting, runs }) => gainRow(weighting, runs));
  const rows = [...learning, ...(frozenCell ? [gainRow("learning nothing", frozenCell.runs)] : [])];
  if (rows.length === 0) return "## Which prompts gain\n\nNo run drew every prompt anew.";
  const cells = rows.map(({ name, low, high, difference }) => [
    name,
    ...[low, high, difference].map((one) => bounds(one)),
  ]);
  const claims = learning.map(({ name, difference }) =>
    claim(`gain of the lowest half above that of the highest, ${name} pairs`, difference),
  );
  return `## Which prompts gain, as in the paper's Figure 2

Where every prompt is drawn anew (ρ 1), prompts are halved by the mean score of the pair that they had; the gain is the mean score of the new pair
less that of the old one, by the proxy judge, as a mean over the rounds after the first.

${table(["pairs", "lowest half", "highest half", "lowest less highest"], cells)}

${claims.length === 0 ? "" : shapeSentence(claims)}

${chanceSentence(learning, frozenCell)}`;
}

/** What is left of the halves' difference once chance is taken off. */
export function chanceSentence(learning, frozenCell) {
  const chance =
    "A pair that scored low by chance alone scores higher when it is drawn again, and one that scored high scores lower, even if nothing was learned in between.";
  if (!frozenCell) return `${chance} No run says how much of the difference this is.`;
  const gap = (record) => halfGain(record, "lowest") - halfGain(record, "highest");
  const lines = learning.map(({ name, runs }) => {
    const left = overPairs(runs, frozenCell.runs, (one, other) => gap(one) - gap(other));
    return `- ${name} pairs: ${left === null ? "no common seed" : bounds(left)}.`;
  });
  return `${chance} The last row shows how much: the same run with a learning rate of 0. What is left of the difference between the halves
once that of the same seed is taken off:

${lines.join("\n")}`;
}

/** What the weights change, cell by cell. */
export function weightingSection(trained) {
  const rows = trained
    .filter(({ weighting }) => weighting === "weighted")
    .flatMap(({ share, selection, runs }) => {
      const other = trained.find(
        (cell) => cell.weighting === "plain" && cell.share === share && cell.selection === selection,
      );
      if (!other) return [];
      const differs = (read) => overPairs(runs, other.runs, (one, two) => read(one) - read(two));
      const { gap, weight, effective } = columnsOf(weightColumns, runs);
      const weights = [spread(gap, 2), spread(weight, 3), `${plain(100 * effective.mean, 0)} %`];
      const columns = [onlineColumns.heldout, onlineColumns.winRate, onlineColumns.kl];
      return [
        [
          share,
          share === 1 ? "all" : selection,
          ...weights,
          ...columns.map((read) => {
            const found = differs(read);
            return found === null ? "–" : bounds(found);
          }),
        ],
      ];
    });
  if (rows.length === 0) return "## Weighted or plain\n\nNo cell was trained both ways.";
  return `## Weighted or plain

Δ is weighted less plain, paired by seed; beside it what the weights were: mean **gap** between the proxy's scores of a pair, mean **weight**
σ(${BETA2}·gap), and the effective sample size (Σw)²/Σw² as a share of the pairs.

${table(["ρ", "drawn anew", "gap", "weight", "effective pairs", "Δ held-out judge", "Δ win rate", "Δ KL"], rows)}

Weights lie between ½ and 1 and are not divided by their mean, so weighted pairs also push a little less in all.`;
}
