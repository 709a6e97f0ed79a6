/** The ablations of FPO as Markdown: α with and without the stop-gradient, and the choice of layers. */
import { SHARED } from "./fpo.mjs";
import { plain, spread, table } from "./markdown.mjs";
import { paperAlphas, paperLayers } from "./paperFpo.mjs";
import { claim, pairedDifference, shapeSentence } from "./shape.mjs";
import { columns, columnsOf } from "./training.mjs";

const sideNames = { off: false, on: true };
const sameList = (one, other) => one.join() === other.join();

const alphaCell = (cells, alpha, isHeld) =>
  cells.find(
    (cell) => cell.alpha === alpha && cell.isHeld === isHeld && sameList(cell.layers, SHARED.layers),
  );
const layersCell = (cells, layers) =>
  cells.find(
    (cell) => cell.alpha === SHARED.alpha && cell.isHeld === SHARED.isHeld && sameList(cell.layers, layers),
  );

/** Accuracy and entropy of a cell, each with the paper's behind it. */
function besidePaper(cell, paper) {
  const found = columnsOf(columns, cell.runs);
  const [accuracy, entropy] = ["accuracy", "entropy"].map((what) => spread(found[what], 3));
  return [accuracy, plain(paper.accuracy, 1), entropy, plain(paper.entropy, 3)];
}

function alphaTable(cells) {
  const head = ["α", "stop-gradient", "accuracy", "paper, %", "entropy", "paper, nats"];
  const rows = paperAlphas.flatMap((paper) =>
    Object.entries(sideNames).map(([side, isHeld]) => [
      paper.alpha,
      side,
      ...besidePaper(alphaCell(cells, paper.alpha, isHeld), paper[side]),
    ]),
  );
  return table(head, rows);
}

function layerTable(cells) {
  const head = [
    "layers, of 0 to 2",
    "accuracy",
    "paper, %",
    "entropy",
    "paper, nats",
    "paper's layers, of 0 to 25",
  ];
  const rows = paperLayers.map((paper) => [
    paper.layers.join(", "),
    ...besidePaper(layersCell(cells, paper.layers), paper),
    paper.paper,
  ]);
  return table(head, rows);
}

/** An ordering of two cells. */
function ordering(text, what, [over, under]) {
  return claim(`${what} ${text}`, pairedDifference(over.runs, under.runs, columns[what]));
}

function alphaClaims(cells) {
  const at = (alpha, side) => alphaCell(cells, alpha, sideNames[side]);
  const strengths = Object.keys(sideNames).flatMap((side) => [
    ordering(`at α 0.1 above α 2, stop-gradient ${side}`, "accuracy", [at(0.1, side), at(2, side)]),
    ordering(`at α 2 above α 0.1, stop-gradient ${side}`, "entropy", [at(2, side), at(0.1, side)]),
  ]);
  const stops = paperAlphas.flatMap(({ alpha }) =>
    ordering(`with the stop-gradient above without, at α ${alpha}`, "entropy", [
      at(alpha, "on"),
      at(alpha, "off"),
    ]),
  );
  return [...strengths, ...stops];
}

function layerClaims(cells) {
  const last = layersCell(cells, SHARED.layers);
  const above = (what, layers) =>
    ordering(
      `of layer ${SHARED.layers.join()} above ${layers.length === 1 ? "layer" : "layers"} ${layers.join(", ")}`,
      what,
      [last, layersCell(cells, layers)],
    );
  return [
    above("accuracy", [0]),
    above("entropy", [0]),
    above("accuracy", [0, 2]),
    above("accuracy", [1, 2]),
    above("accuracy", [0, 1, 2]),
  ];
}

/** Both ablations; `methods` holds the row that they vary. */
export function ablationSection(cells, methods, seeds) {
  const { objective, search, params } = methods.find(({ id }) => id === "fpo_scaled");
  return `## What α, the stop-gradient and the layer do, as in the paper's Table 3

All cells are ${objective.label} at the rate of its search, ${search.rate}, and differ from the first table in the named settings alone; α ${SHARED.alpha}
with the stop-gradient on layer ${SHARED.layers.join()} is that row itself. The paper trains at β 0.1; β ${params.beta} is used here because at 0.1 hardly anything would be
told apart. β multiplies α as well. Cells stand on ${seeds} seeds.

${alphaTable(cells)}

${shapeSentence(alphaClaims(cells))}

### The layer whose features are compared

With several layers D is their sum. The paper's layers stand at about the same depth of its 26 (residual stream, Tables 3 and 7).

${layerTable(cells)}

${shapeSentence(layerClaims(cells))}`;
}
