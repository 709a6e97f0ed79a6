/** The benchmark's result as text: every figure next to its target, where it has one. */

const MEBIBYTE = 1024 * 1024;
const DISPATCHES_PER_SUBMIT = 64;

const mebibytes = (bytes) => `${(bytes / MEBIBYTE).toFixed(2)} MiB`;
const times = (ratio) => `${ratio.toFixed(1)}x`;

/** Rows of cells as aligned lines: the first cell to the left, the others to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])));
  return rows.map((row) => line(row).join("  ").trimEnd()).join("\n");
}

/** Label, target and value of each figure of a training step. */
const stepFigures = [
  ["layers", "", ({ layers }) => layers],
  ["rows / scored tokens per step", "", ({ rows, entries }) => `${rows} / ${entries}`],
  ["dispatches per step", "", ({ dispatches }) => dispatches.all],
  ["  forward, per layer", "<= 8", ({ dispatches }) => dispatches.forwardPerLayer],
  [
    "  backward, per layer, after recomputing forward",
    "<= 14",
    ({ dispatches }) => dispatches.backwardPerLayer,
  ],
  ["  rest of forward", "", ({ dispatches }) => dispatches.forwardRest],
  ["  rest of backward, less savings of the first layer", "", ({ dispatches }) => dispatches.backwardRest],
  ["  optimizer", "2", ({ dispatches }) => dispatches.optimizer],
  ["submits", "<= dispatches/64 + 2", ({ submits }) => submits],
  ["  allowed here", "", ({ dispatches }) => Math.ceil(dispatches.all / DISPATCHES_PER_SUBMIT) + 2],
  ["writeBuffer calls", "<= submits + 6", ({ bufferWrites }) => bufferWrites],
  ["pipelines per model", "<= 60", ({ pipelinesPerModel }) => pipelinesPerModel],
  ["largest tensor buffer", "", ({ largestBufferBytes }) => mebibytes(largestBufferBytes)],
  ["has tokens x vocabulary", "no", (model) => (model.hasTokensTimesVocabulary ? "yes" : "no")],
  ["peak bytes", "", ({ peakBytes }) => mebibytes(peakBytes)],
  ["peak / estimate", "0.9 to 1.1", (model) => (model.peakBytes / model.estimatedBytes).toFixed(2)],
];

const growthFigures = [
  ["steps", "", ({ steps }) => steps],
  ["new bind groups", "0", ({ bindGroups }) => bindGroups],
  ["new pipelines", "0", ({ pipelines }) => pipelines],
  ["new buffers", "0", ({ buffers }) => buffers],
  ["last step that created any", "<= 2", ({ lastStepThatCreated }) => lastStepThatCreated],
  ["tensors gained", "0", ({ tensors }) => tensors],
  ["bytes gained", "0", ({ storageBytes }) => mebibytes(storageBytes)],
];

function figures(title, rows, subjects) {
  const header = [title, "target", ...subjects.map(({ name }) => name)];
  const lines = rows.map(([label, target, pick]) => [
    label,
    target,
    ...subjects.map(({ value }) => String(pick(value))),
  ]);
  return table([header, ...lines]);
}

/** All tables of one run. */
export function report({ adapter, models, matmul, stockStep }) {
  const named = models.map((value) => ({ name: value.model, value }));
  const steady = named.map(({ name, value }) => ({ name, value: value.steady }));
  const varying = named.flatMap(({ name, value }) => (value.varying ? [{ name, value: value.varying }] : []));
  const ratios = matmul.ratios.map(({ name, form, shape, ratio }) => [name, form, shape, times(ratio)]);
  const software = adapter.isFallbackAdapter ? ", which computes on the processor" : "";
  return [
    `Adapter: ${adapter.vendor} ${adapter.architecture}${software}. LoRA-DPO, rank 8 on all seven linears.`,
    figures("One optimizer step", stepFigures, named),
    figures("After step 2, same pairs", growthFigures, steady),
    figures("After step 2, other pairs in every step", growthFigures, varying),
    table([["Stock tf.matMul / own, in time", "form", "operands", "target >= 2x (GPU 1.5x)"], ...ratios]),
    table([
      ["LoRA-DPO step in stock operations / own", "target", stockStep.model],
      ["time", ">= 3x", times(stockStep.ratio)],
      ["dispatches", "", `${stockStep.stockDispatches} / ${stockStep.ownDispatches}`],
    ]),
    `Ratios are of the fastest of several alternating runs. The stock matmul is program type ${matmul.programType}.`,
  ].join("\n\n");
}
