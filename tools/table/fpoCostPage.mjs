/** What FPO costs beside the others, as Markdown. */
import { median, tInterval } from "./arithmetic.mjs";
import { COST_ROUNDS, COST_STEPS, COST_WARM, stepMilliseconds } from "./fpo.mjs";
import { plain, spread, table } from "./markdown.mjs";
import { paperCost } from "./paperFpo.mjs";
import { claim, pairedDifference, shapeSentence } from "./shape.mjs";
import { finished, ofSeed } from "./training.mjs";

const MEBIBYTE = 1024 * 1024;
const modeNames = { cached: "remembered", live: "in every step" };

const memoryOf = ({ price: { memoryBytes } }) =>
  Object.values(memoryBytes).reduce((sum, bytes) => sum + bytes, 0);
const cellOf = (cells, id, mode) => cells.find((cell) => cell.id === id && cell.mode === mode);

/** Time of a step over that of a live DPO step with the same pairs, round by round. */
function timeRatio(cells, { runs }) {
  const base = cellOf(cells, "dpo", "live").runs;
  const ratios = runs.flatMap(({ config: { seed } }) => {
    const [one, other] = [runs, base].map((some) => ofSeed(some, seed));
    return one === undefined || other === undefined ? [] : [stepMilliseconds(one) / stepMilliseconds(other)];
  });
  return ratios.length === 0 ? null : tInterval(ratios);
}

function costTable(cells) {
  const head = [
    "method",
    "reference",
    "memory, MiB",
    "reference bytes a pair",
    "seconds for 40 steps",
    "step / live DPO step",
    "paper, GB (2B)",
    "authors, GB (8B)",
    "authors, seconds",
  ];
  const orDash = (value) => (value === null ? "–" : String(value));
  const rows = cells.map((cell) => {
    const paper = paperCost[cell.id];
    const ratio = timeRatio(cells, cell);
    const seconds = (40 * median(finished(cell.runs).map(stepMilliseconds))) / 1000;
    return [
      cell.label,
      modeNames[cell.mode],
      plain(memoryOf(cell) / MEBIBYTE, 2),
      cell.mode === "live" ? "0" : plain(cell.price.referenceBytesPerPair, 0),
      plain(seconds, 1),
      ratio === null ? "–" : spread(ratio, 2),
      ...[paper.small, paper.large, paper.seconds].map(orDash),
    ];
  });
  return table(head, rows);
}

/** The paper's order: FPO's reference is remembered, that of DPO and TDPO is computed in every step, SimPO has none. */
const order = [
  ["simpo", "cached"],
  ["fpo", "cached"],
  ["dpo", "live"],
  ["tdpo1", "live"],
  ["tdpo2", "live"],
];

function costClaims(cells) {
  const steps = order.slice(1).map((above, index) => [above, order[index]]);
  return steps.flatMap(([above, below]) => {
    const [over, under] = [above, below].map(([id, mode]) => cellOf(cells, id, mode));
    const text = (what) => `${what} of ${over.label} above ${under.label}`;
    const exact = { mean: (memoryOf(over) - memoryOf(under)) / MEBIBYTE, half: 0 };
    return [
      claim(`${text("memory")}, MiB`, exact, 2),
      claim(text("milliseconds of a step"), pairedDifference(over.runs, under.runs, stepMilliseconds), 0),
    ];
  });
}

/** Memory and time of every method with a remembered and with a live reference. */
export function costSection(cells) {
  return `## What a method costs, as in the paper's Figure 4

${costTable(cells)}

- **memory** is the pre-flight's estimate of what a run holds at most, the weights included; other tests hold it to within 10 % of what is
  measured. It is no measurement of these runs.
- **seconds** are those of the middle one of ${COST_STEPS - COST_WARM} steps (after ${COST_WARM} that are left out), taken 40 times, on one page; all methods took
  their turn in each of ${COST_ROUNDS} rounds. Other work shared the machine, so only the ratio within a round, ± half a 95 % t interval over the rounds,
  compares methods.
- The paper keeps FPO's reference and computes that of DPO and TDPO in every step; its column of GB is read off a figure whose bars are not
  named. SFT and SimPO need no reference; "in every step" computes one all the same, for the figures on the page.

The order compared is the paper's: SimPO and FPO with a remembered reference, DPO, TDPO₁ and TDPO₂ with one in every step. Memory is exact, so its
differences have no interval.

${shapeSentence(costClaims(cells))}`;
}
