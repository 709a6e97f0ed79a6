/** What `npm run train` prints and writes, as pure functions of the run's result. */

const barWidth = 30;

/** One line: phase, bar, step, loss and time left. `progress` is `{ phase, step, steps, loss, elapsedMs }`. */
export function progressLine({ phase, step, steps, loss, elapsedMs }) {
  const share = steps > 0 ? Math.min(1, step / steps) : 0;
  const filled = Math.round(share * barWidth);
  const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
  const lossText = Number.isFinite(loss) ? ` · loss ${formatNumber(loss)}` : "";
  const hasEstimate = step > 0 && step < steps && Number.isFinite(elapsedMs);
  const secondsLeft = Math.round(((elapsedMs / step) * (steps - step)) / 1000);
  return `${bar} ${step}/${steps} ${phase}${lossText}${hasEstimate ? ` · ${secondsLeft} s left` : ""}`;
}

/** A number for a table: four significant digits, small and large ones in powers of ten. */
export function formatNumber(value) {
  if (typeof value !== "number") return "–";
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  const magnitude = Math.abs(value);
  return magnitude < 1e-3 || magnitude >= 1e5 ? value.toExponential(2) : value.toPrecision(4);
}

/** Rows of cells as lines: the first column to the left, the others to the right. */
function alignColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `count` indexes spread evenly over a list, with the first and the last among them. */
function spreadIndexes(length, count) {
  if (length <= count) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: count }, (_, index) => Math.round((index * (length - 1)) / (count - 1)));
}

const stepColumns = [
  "step",
  "loss",
  "rewards/margins",
  "rewards/accuracies",
  "logps/chosen",
  "logps/rejected",
  "entropy",
  "grad_norm",
];

/** The run's metrics, at most `rowCount` steps of it; columns that no step has are left out. */
export function metricsTable(steps, rowCount = 12) {
  if (steps.length === 0) return "No step was taken.";
  const columns = stepColumns.filter((name) => steps.some((step) => step[name] !== undefined));
  const rows = spreadIndexes(steps.length, rowCount).map((index) =>
    columns.map((name) => formatNumber(steps[index][name])),
  );
  return alignColumns([columns, ...rows]);
}

/** Held-out metrics before and after the run, side by side. */
export function evaluationTable(before, after) {
  const rows = Object.keys(after).map((name) => [
    name,
    formatNumber(before[name]),
    formatNumber(after[name]),
    formatNumber(before[name] === undefined ? undefined : after[name] - before[name]),
  ]);
  return alignColumns([["held-out pairs", "before", "after", "change"], ...rows]);
}

/** Every fixed prompt with its answer before and after; samples are `{ prompt, mode, text, judgeScore }`. */
export function samplesText(before, after) {
  const line = (label, sample) => {
    const score = typeof sample?.judgeScore === "number" ? ` [judge ${formatNumber(sample.judgeScore)}]` : "";
    return `  ${label} ${sample ? sample.text.trim() : "–"}${score}`;
  };
  return after
    .map((sample) => {
      const twin = before.find(({ prompt, mode }) => prompt === sample.prompt && mode === sample.mode);
      return `${sample.prompt.trim()} (${sample.mode})\n${line("before:", twin)}\n${line("now:   ", sample)}`;
    })
    .join("\n\n");
}

const resultKeys = [
  "config",
  "environment",
  "steps",
  "evaluations",
  "evalBefore",
  "evalAfter",
  "samplesBefore",
  "samplesAfter",
  "rounds",
  "onlineEvaluations",
  "elapsedMs",
];

/** The run's result as JSON text; throws one sentence when a part of it is missing. */
export function resultJson(result) {
  const missing = resultKeys.filter((key) => result[key] === undefined);
  if (missing.length > 0)
    throw new Error(`The run's result lacks ${missing.join(", ")}: nothing was written.`);
  const ordered = Object.fromEntries(resultKeys.map((key) => [key, result[key]]));
  const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  return `${JSON.stringify(ordered, plain, 2)}\n`;
}
