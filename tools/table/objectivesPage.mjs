/** The page of the table of objectives, as Markdown. */
import { tInterval, verdict } from "./arithmetic.mjs";
import {
  bounds,
  failures,
  madeBy,
  plain,
  searchSection,
  settingsSection,
  spread,
  table,
} from "./markdown.mjs";
import {
  baseSummary,
  compareAtEqualAccuracy,
  compareAtEqualRates,
  comparedOf,
  EVAL_EVERY,
  RATES_REASON,
  summaryOf,
} from "./objectives.mjs";
import { finished, LEVEL_CAP, settings } from "./training.mjs";

function bytesCell({ objective, bytes }) {
  const isNeeded = objective.needs.includes("referenceLogps") || objective.needs.includes("tokenKl");
  return isNeeded ? plain(bytes, 0) : `${plain(bytes, 0)} (figures only)`;
}

function mainTable(methods) {
  const head = [
    "method",
    "accuracy",
    "entropy",
    "KL, chosen",
    "KL, rejected",
    "judge",
    "tokens a sample",
    "active seconds",
    "reference bytes a pair",
  ];
  const base = baseSummary(methods[0]);
  const baseRow = ["untouched model", "–", plain(base.entropy.mean, 3), "0", "0"];
  const rows = methods.map((method) => {
    const found = summaryOf(method);
    return [
      method.objective.label,
      spread(found.accuracy, 3),
      spread(found.entropy, 3),
      spread(found.klChosen, 2),
      spread(found.klRejected, 2),
      spread(found.judge, 3),
      spread(found.length, 1),
      spread(found.seconds, 1),
      bytesCell(method),
    ];
  });
  return table(head, [[...baseRow, spread(base.judge, 3), spread(base.length, 1), "–", "–"], ...rows]);
}

/** The answer to the papers' question in one sentence, made of the numbers. */
export function answerSentence({ rows, differences }, { held, plain: other }) {
  if (rows.length === 0) return `${held} and ${other} have no seed in common whose runs came to their end.`;
  if (rows.length === 1) return `One seed has no interval: ${held} and ${other} cannot be told apart.`;
  const read = verdict(differences.mean);
  const [lowest, highest] = [Math.min, Math.max].map((pick) => pick(...rows.map(({ level }) => level)));
  const levels =
    lowest === highest ? plain(lowest, 2) : `${plain(lowest, 2)} to ${plain(highest, 2)} by seed`;
  const found = {
    smaller: `${held} holds a smaller KL than ${other}`,
    larger: `${held} has a larger KL than ${other}`,
    "not distinguishable": `the KL of ${held} is not distinguishable from that of ${other}`,
  }[read];
  const sides = ["chosen", "rejected"].map((side) => `${side} ${verdict(differences[side])}`).join(", ");
  return (
    `At equal accuracy (${levels}) ${found}: the mean of both sides differs by ` +
    `${bounds(differences.mean)} nats over ${rows.length} seeds (by side: ${sides}).`
  );
}

function comparison(found) {
  const { methods } = found;
  const [held, other] = comparedOf(methods);
  if (!held) return "";
  const labels = { held: held.objective.label, plain: other.objective.label };
  const atEqualAccuracy = compareAtEqualAccuracy(held, other);
  const at = ({ chosen, rejected }) => [plain(chosen, 3), plain(rejected, 3)];
  const difference = (row, key) => plain(row.held[key] - row.plain[key], 3);
  const rows = atEqualAccuracy.rows.map((row) => [
    row.seed,
    plain(row.level, 3),
    ...at(row.held),
    ...at(row.plain),
    ...["chosen", "rejected", "mean"].map((key) => difference(row, key)),
  ]);
  const { chosen, rejected, mean } = atEqualAccuracy.differences;
  const sides = [labels.held, labels.plain].flatMap((label) => [`${label}, chosen`, `${label}, rejected`]);
  const head = ["seed", "accuracy", ...sides, "Δ chosen", "Δ rejected", "Δ mean"];
  const last = ["mean", "", "", "", "", "", ...[chosen, rejected, mean].map((one) => spread(one, 3))];
  return `
## Does ${labels.held} hold a smaller KL than ${labels.plain} at equal accuracy?

**${answerSentence(atEqualAccuracy, labels)}**

For every seed both methods are read where their held-out accuracy first reaches a common level: the smaller of their two best
accuracies, at most ${LEVEL_CAP}. Between evaluations (every ${EVAL_EVERY} steps) accuracy and KL are taken as straight lines.
Before the first step all log-ratios are 0 but for rounding, which counts as accuracy 0.5. Δ is ${labels.held} less ${labels.plain};
its interval is a paired t interval over the seeds. Learning rates are those of the search: ${held.search.rate} for ${labels.held},
${other.search.rate} for ${labels.plain}; the same seed gives both the same pairs in the same order.

${table(head, [...rows, last])}
${sameRates(found, labels)}`;
}

/** The same comparison with one learning rate for both, so that a rate is not mistaken for a method. */
function sameRates(found, labels) {
  const compared = compareAtEqualRates(found);
  if (compared.length === 0) return "";
  const rows = compared.map(({ rate, held, plain: other, differences: { chosen, rejected, mean } }) => [
    rate,
    ...[held, other].map((method) => spread(summaryOf(method).accuracy, 3)),
    ...[held, other].map((method) => spread(summaryOf(method).judge, 3)),
    ...[chosen, rejected, mean].map((one) => spread(one, 3)),
  ]);
  const head = [
    "rate",
    ...["accuracy", "judge"].flatMap((what) => [`${labels.held}, ${what}`, `${labels.plain}, ${what}`]),
    "Δ chosen",
    "Δ rejected",
    "Δ mean",
  ];
  const answers = compared.map((one) => `- Rate ${one.rate}. ${answerSentence(one, labels)}`).join("\n");
  return `
### The same with one learning rate for both

Added after the answer above was known: there the two methods train at different rates, and a larger rate can by itself
make a larger KL. These are the same seeds at each of the two rates, read in the same way; Δ is at equal accuracy, accuracy and
judge are those at the end.

${answers}

${table(head, rows)}
`;
}

const allRuns = ({ methods, searches, others }) => [
  ...searches,
  ...methods.flatMap(({ runs }) => runs),
  ...others,
];

/** The whole page; `pages` trained at once. */
export function objectivesPage(found, { command, common, seeds, pages, fingerprint }) {
  const { methods } = found;
  const runs = allRuns(found);
  const { defaultConfig } = common;
  const ended = finished(methods.flatMap((method) => method.runs));
  const seconds = tInterval(ended.map(({ elapsedMs }) => elapsedMs / 1000));
  return `# Objectives side by side

${madeBy(runs, { command, fingerprint })}

${mainTable(methods)}

Means over ${seeds} seeds (1 to ${seeds}) ± half a 95 % t interval. The interval is of seeds alone: all runs share the model, the held-out
pairs and the prompts.

- **accuracy**: share of ${settings.evalPairs} held-out pairs whose log-ratio to the reference is larger for the chosen answer, the same
  measure for every method. The untouched model has none: its log-ratios are 0 but for rounding.
- **entropy** (nats a token) and **KL** (reference to policy, nats an answer, summed over its tokens): on the same held-out pairs.
- **judge**: mean score, from −1 to 1, of ${settings.samplePrompts} answers drawn at temperature ${defaultConfig.sampleTemperature} to held-out prompts, up to
  ${settings.sampleTokens} tokens each; **tokens a sample** is their mean length. The judge is a program. The same judge gives wDPO the weights
  of its training pairs; no other method here sees it.
- **active seconds**: time spent in optimizer steps alone. It is wall time on a shared CPU with ${pages} page${pages === 1 ? "" : "s"} training at once. Methods were
  trained one after another while other work came and went, so this column does not rank them. A whole run took ${spread(seconds, 0)} s on average.
- **reference bytes a pair**: what is remembered of the reference for one training pair, by the pre-flight. "Figures only" marks methods
  that need no reference: the studio remembers two log-probs all the same, for the figures on this page.

${failures(runs)}

${settingsSection(methods, common, "the studio's defaults")}

${searchSection(methods, RATES_REASON)}
${comparison(found)}`;
}
