/** Pieces of Markdown that the pages of the tables share. */
import { RATES, runName, SEARCH_SEED, settings } from "./training.mjs";

/** A number with a true minus sign. */
export const plain = (value, digits) => value.toFixed(digits).replace("-", "−");

/** Mean ± half an interval; of one value the value. */
export const spread = ({ mean, half }, digits) =>
  half === null ? plain(mean, digits) : `${plain(mean, digits)} ± ${plain(half, digits)}`;

/** Mean [low, high]; of one value the value. */
export const bounds = ({ mean, half }, digits = 3) =>
  half === null
    ? plain(mean, digits)
    : `${plain(mean, digits)} [${plain(mean - half, digits)}, ${plain(mean + half, digits)}]`;

/** A table from its head and its rows of cells. */
export const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Each item once, with commas. */
export const listed = (items) => [...new Set(items)].join(", ");

/** The candidates of every method's search, as judge (accuracy), and the rate that was chosen. */
export function searchTable(methods) {
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

/** The section on the search of these methods; `reason` says why these rates. */
export function searchSection(methods, reason) {
  return `## The search for the learning rate

Every method has the same budget: ${RATES.length} rates, one seed (${SEARCH_SEED}, which is in no mean above) and as many steps as above. The rate whose
samples the judge scores highest is taken; equal scores are decided by accuracy. ${reason}
Cells: judge (accuracy).

${searchTable(methods)}

One seed and ${settings.samplePrompts} answers choose among rates whose scores can be closer than chance, so a row of the first table is a method at the
rate that it was given here, not necessarily its best. ${edgeSentence(methods)}`;
}

/** What all runs share, and the knobs of every method, of which `params` tells those that are not its defaults. */
export function settingsSection(methods, { defaultConfig, steps }, knobs) {
  const lines = methods.map(({ objective: { label, parameters }, params = {} }) => {
    const texts = parameters.map((knob) => knobText(knob, params[knob.key] ?? knob.default));
    return `- ${label}: ${texts.length === 0 ? "none" : texts.join(", ")}`;
  });
  return `## Settings

Preference set ${settings.data}, model ${defaultConfig.model}; ${steps} steps of ${settings.batchPairs} pairs; LoRA rank ${settings.loraRank}, alpha ${defaultConfig.loraAlpha}, all linear layers; AdamW, schedule
${defaultConfig.schedule} after ${defaultConfig.warmupSteps} steps of warm-up, weight decay ${defaultConfig.weightDecay}, gradient norm at most ${defaultConfig.maxGradNorm}. Knobs are ${knobs}:

${lines.join("\n")}`;
}

/** A value of a knob as its name, where the studio shows names. */
function knobText({ label, key, choices }, value) {
  return `${label} (\`${key}\`) ${choices?.[value] ?? value}`;
}

/** The runs that broke, or that none did; `nameOf` says in a few words which run a configuration is. */
export function failures(runs, nameOf = runName) {
  const broken = runs.filter(({ record }) => record.failure);
  if (broken.length === 0) return "All runs came to their end.";
  const lines = broken.map(({ config, record }) => `- ${nameOf(config)}: ${record.failure.message}`);
  return `Runs that did not come to their end and are in no mean:\n\n${lines.join("\n")}`;
}

/** How the page was made: by what command, on what, at which commits. */
export function madeBy(runs, { command, fingerprint }) {
  const ended = runs.filter(({ record }) => !record.failure);
  const environments = ended.map(({ record }) => record.environment);
  const device = listed(environments.map(({ backend, device }) => `${backend} (${device})`));
  const browser = listed(
    environments.map(({ userAgent }) => /(?:Headless)?Chrome\/[\d.]+/.exec(userAgent)?.[0]),
  );
  return `Written by \`${command}\`, which trains in the built page and keeps every run. Computed on ${device} in ${browser},
at commit ${listed(ended.map(({ record }) => record.commit))}; fingerprint of the code that computes, the weights and the pairs, one for all runs: ${fingerprint.slice(0, 16)}.`;
}
