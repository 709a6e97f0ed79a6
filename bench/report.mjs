/** The benchmark's result as text. */

const MEBIBYTE = 1024 * 1024;

const numberText = (value, digits = 0) =>
  value === null || value === undefined ? "-" : value.toFixed(digits);
const msText = (value) => numberText(value, value !== null && value < 10 ? 2 : 0);
const ratioText = (value) => (value === null || value === undefined ? "-" : `${value.toFixed(1)}x`);
const mebibytes = (value) =>
  value === null || value === undefined ? "-" : `${(value / MEBIBYTE).toFixed(1)} MiB`;
const answer = (value) => (value === null || value === undefined ? "-" : value ? "yes" : "no");

/** Rows of cells as aligned lines: the first two cells to the left, the others to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text, column) => (column < 2 ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}

function timeTable(rows) {
  const lines = rows.map(({ name, shape, medianMs, ratio, gigaflops }) => [
    name,
    shape,
    msText(medianMs.own),
    msText(medianMs.tfjs),
    msText(medianMs.jax),
    ratioText(ratio.tfjs),
    ratioText(ratio.jax),
    numberText(gigaflops, 1),
  ]);
  const head = ["median ms", "shape", "own", "tfjs", "jax-js", "tfjs / own", "jax-js / own", "own GFLOP/s"];
  return table([head, ...lines]);
}

/** Label, target and value of each figure of a step; the value is picked from one side's counts. */
const sideFigures = [
  ["dispatches", ({ dispatches }) => numberText(dispatches)],
  ["submits", ({ submits }) => numberText(submits)],
  ["passes", ({ passes }) => numberText(passes)],
  ["createBuffer", ({ createBuffer }) => numberText(createBuffer)],
  ["createBindGroup", ({ createBindGroup }) => numberText(createBindGroup)],
  ["writeBuffer", ({ writeBuffer }) => numberText(writeBuffer)],
  ["allocated", ({ bytesAllocated }) => mebibytes(bytesAllocated)],
  ["peak", ({ peakBytes }) => mebibytes(peakBytes)],
  ["JS ms", ({ jsMilliseconds }) => numberText(jsMilliseconds, 1)],
];

/** What one call of every side asks of the device. */
function countTable(rows) {
  const sides = ["own", "tfjs", "jax"];
  const lines = rows.flatMap(({ name, counts }) =>
    sides.flatMap((side) =>
      counts[side] === null ? [] : [[name, side, ...sideFigures.map(([, pick]) => pick(counts[side]))]],
    ),
  );
  return table([["per call", "side", ...sideFigures.map(([label]) => label)], ...lines]);
}

/** Steps of our own methods in turn: FPO's time over each of the others'. */
function methodTable(rows) {
  const lines = rows.flatMap(({ name, methods }) =>
    methods.map(({ method, referenceMode, fpoRatio, goal, dispatches, referenceBytesPerPair }) => [
      name,
      method,
      referenceMode,
      fpoRatio === null ? "-" : `${numberText(fpoRatio, 2)}x`,
      goal === null ? "" : `<= ${goal.toFixed(1)}`,
      numberText(dispatches),
      numberText(referenceBytesPerPair),
    ]),
  );
  const head = ["methods in turn", "method", "reference", "fpo / it", "goal", "dispatches", "bytes a pair"];
  return table([head, ...lines]);
}

/** Decoding in turn with a cache and without one. */
function generationTable(rows) {
  const lines = rows.flatMap(({ name, shape, generation }) =>
    generation.map(({ way, tokensPerSecond, speedUp, goal, dispatchesPerToken, submitsPerToken }) => [
      name,
      shape,
      way,
      numberText(tokensPerSecond),
      ratioText(speedUp),
      goal === null ? "" : `>= ${goal}x`,
      numberText(dispatchesPerToken, 1),
      numberText(submitsPerToken, 2),
    ]),
  );
  const head = ["decoding", "shape", "way", "tokens / s", "speed-up", "goal", "dispatches", "submits"];
  return table([head, ...lines]);
}

/** Label, target and value of each figure of our own step. */
const ownFigures = [
  ["dispatches forward, per layer", "<= 8", ({ forwardDispatchesPerLayer: value }) => numberText(value)],
  ["dispatches backward, per layer", "<= 14", ({ backwardDispatchesPerLayer: value }) => numberText(value)],
  ["dispatches of the optimizer", "2", ({ optimizerDispatches: value }) => numberText(value)],
  ["pipelines", "<= 60", ({ counts }) => numberText(counts.own.pipelines)],
  ["largest buffer", "", ({ counts }) => mebibytes(counts.own.largestBufferBytes)],
  ["has tokens x vocabulary", "no", ({ counts }) => answer(counts.own.hasTokensTimesVocabulary)],
  ["measured peak", "", ({ measuredPeakBytes: value }) => mebibytes(value)],
  [
    "peak / estimate",
    "0.9 to 1.1",
    ({ measuredPeakBytes, estimatedBytes }) => numberText(measuredPeakBytes / estimatedBytes, 2),
  ],
  ...growthFigures("same pairs", "growth"),
  ...growthFigures("other pairs", "varyingGrowth"),
];

function growthFigures(which, key) {
  const figure = (label, target, pick) => [
    `${which}: ${label}`,
    target,
    ({ counts }) => (counts.own[key] === null ? "-" : pick(counts.own[key])),
  ];
  return [
    figure("steps after the first two", "", ({ steps }) => numberText(steps)),
    figure("tensors gained", "0", ({ tensors }) => numberText(tensors)),
    figure("bytes gained", "0", ({ storageBytes }) => mebibytes(storageBytes)),
    figure("createBuffer", "0", ({ createBuffer }) => numberText(createBuffer)),
    figure("createBindGroup", "0", ({ createBindGroup }) => numberText(createBindGroup)),
    figure("createPipeline", "0", ({ createPipeline }) => numberText(createPipeline)),
    figure("last step that created any", "<= 2", ({ lastStepThatCreated }) =>
      numberText(lastStepThatCreated),
    ),
  ];
}

/** How close each step comes to the best rate of a plain product in the same run. */
function rateFigure(rows, isSoftware) {
  const isMatmul = ({ name, gigaflops }) => name.startsWith("matmul: ") && gigaflops !== null;
  const rates = rows.filter(isMatmul).map(({ gigaflops }) => gigaflops);
  const best = rates.length === 0 ? null : Math.max(...rates);
  const share = ({ gigaflops }) => (gigaflops === null || best === null ? null : (100 * gigaflops) / best);
  return [
    "share of the best matmul rate",
    isSoftware ? "not judged" : ">= 50 %",
    (row) => (share(row) === null ? "-" : `${numberText(share(row))} %`),
  ];
}

function stepTable(rows, rate) {
  const lines = [...ownFigures, rate].map(([label, target, pick]) => [
    label,
    target,
    ...rows.map((row) => pick(row)),
  ]);
  return table([["our own step", "target", ...rows.map(({ name }) => name)], ...lines]);
}

/** All tables of one run. */
export function report({ adapter, backend, commit, rows }) {
  const done = rows.filter(({ skipped }) => skipped === null);
  const inTurn = done.filter(({ methods }) => methods !== null);
  const decoded = done.filter(({ generation }) => generation !== null);
  const measured = done.filter(({ methods, generation }) => methods === null && generation === null);
  const skipped = rows.filter(({ skipped }) => skipped !== null);
  const steps = measured.filter(({ counts }) => counts.own?.pipelines !== undefined);
  const software = adapter.isFallbackAdapter
    ? " It computes on the processor: only ratios and counts mean anything."
    : "";
  const described = [adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(", ");
  return [
    `${backend}, ${described}, commit ${commit}.${software}`,
    ...(measured.length === 0 ? [] : [timeTable(measured), countTable(measured)]),
    ...(inTurn.length === 0 ? [] : [methodTable(inTurn)]),
    ...(decoded.length === 0 ? [] : [generationTable(decoded)]),
    ...(steps.length === 0 ? [] : [stepTable(steps, rateFigure(measured, adapter.isFallbackAdapter))]),
    ...skipped.map(
      (row) => `Skipped: ${row.name}${row.shape === "" ? "" : ` (${row.shape})`}: ${row.skipped}.`,
    ),
  ].join("\n\n");
}
