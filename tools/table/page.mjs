/** The page of the table of objectives, as Markdown. */
import { tInterval, verdict } from "./arithmetic.mjs";
import {
  baseSummary,
  compareAtEqualAccuracy,
  compareAtEqualRates,
  comparedOf,
  EVAL_EVERY,
  LEVEL_CAP,
  RATES,
  RATES_REASON,
  SEARCH_SEED,
  settings,
  summaryOf,
} from "./objectives.mjs";

const plain = (value, digits) => value.toFixed(digits).replace("-", "−");
const spread = ({ mean, half }, digits) =>
  half === null ? plain(mean, digits) : `${plain(mean, digits)} ± ${plain(half, digits)}`;
const bounds = ({ mean, half }) => `${plain(mean, 3)} [${plain(mean - half, 3)}, ${plain(mean + half, 3)}]`;
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const listed = (items) => [...new Set(items)].join(", ");

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

function searchTable(methods) {
  const cell = ({ judge, accuracy }) =>
    Number.isFinite(judge) ? `${plain(judge, 3)} (${plain(accuracy, 3)})` : "failed";
  const rows = methods.map(({ objective, search: { candidates, rate } }) => [
    objective.label,
    ...candidates.map(cell),
    String(rate),
  ]);
  return table(["method", ...RATES.map((rate) => `rate ${rate}`), "chosen"], rows);
}

/** Which methods took the highest rate, beyond which nothing was tried. */
function edgeSentence(methods) {
  const highest = Math.max(...RATES);
  const labels = methods
    .filter(({ search }) => search.rate === highest)
    .map(({ objective }) => objective.label);
  if (labels.length === 0) return "No method took the highest rate.";
  return `The highest rate was taken for ${labels.join(", ")}: a better one may lie beyond it.`;
}

/** A value of a knob as its name, where the studio shows names. */
function knobText({ label, key, choices, default: value }) {
  return `${label} (\`${key}\`) ${choices?.[value] ?? value}`;
}

function knobLines(methods) {
  return methods
    .map(({ objective: { label, parameters } }) => {
      const knobs = parameters.length === 0 ? "none" : parameters.map(knobText).join(", ");
      return `- ${label}: ${knobs}`;
    })
    .join("\n");
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

function failures(found) {
  const broken = allRuns(found).filter(({ record }) => record.failure);
  if (broken.length === 0) return "All runs came to their end.";
  const lines = broken.map(
    ({ config, record }) =>
      `- ${config.method}, seed ${config.seed}, rate ${config.learningRate}: ${record.failure.message}`,
  );
  return `Runs that did not come to their end and are in no mean:\n\n${lines.join("\n")}`;
}

function madeOf(found) {
  const runs = allRuns(found).filter(({ record }) => !record.failure);
  const environments = runs.map(({ record }) => record.environment);
  const device = listed(environments.map(({ backend, device }) => `${backend} (${device})`));
  const browsers = environments.map(({ userAgent }) => /(?:Headless)?Chrome\/[\d.]+/.exec(userAgent)?.[0]);
  return { device, browser: listed(browsers), commit: listed(runs.map(({ record }) => record.commit)) };
}

function settingsSection(methods, { defaultConfig, steps }) {
  return `## Settings

Preference set ${settings.data}, model ${defaultConfig.model}; ${steps} steps of ${settings.batchPairs} pairs; LoRA rank ${settings.loraRank}, alpha ${defaultConfig.loraAlpha}, all linear layers; AdamW, schedule
${defaultConfig.schedule} after ${defaultConfig.warmupSteps} steps of warm-up, weight decay ${defaultConfig.weightDecay}, gradient norm at most ${defaultConfig.maxGradNorm}. Knobs are the studio's defaults:

${knobLines(methods)}`;
}

function searchSection(methods) {
  return `## The search for the learning rate

Every method has the same budget: ${RATES.length} rates, one seed (${SEARCH_SEED}, which is in no mean above) and as many steps as above. The rate whose
samples the judge scores highest is taken; equal scores are decided by accuracy. ${RATES_REASON}
Cells: judge (accuracy).

${searchTable(methods)}

One seed and ${settings.samplePrompts} answers choose among rates whose scores can be closer than chance, so a row of the first table is a method at the
rate that it was given here, not necessarily its best. ${edgeSentence(methods)}`;
}

/** The whole page; `pages` trained at once. */
export function objectivesPage(found, { command, common, seeds, pages, fingerprint }) {
  const { methods } = found;
  const { device, browser, commit } = madeOf(found);
  const { defaultConfig } = common;
  const ended = methods.flatMap(({ runs }) => runs).filter(({ record }) => !record.failure);
  const seconds = tInterval(ended.map(({ record }) => record.elapsedMs / 1000));
  return `# Objectives side by side

Written by \`${command}\`, which trains in the built page and keeps every run. Computed on ${device} in ${browser},
at commit ${commit}; fingerprint of the code that computes, the weights and the pairs, one for all runs: ${fingerprint.slice(0, 16)}.

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

${failures(found)}

${settingsSection(methods, common)}

${searchSection(methods)}
${comparison(found)}`;
}
