/** The page of the table of FPO, as Markdown. */
import { ablationSection } from "./fpoAblationPage.mjs";
import { ROW_PROMPTS, TOP_K } from "./fpo.mjs";
import { costSection } from "./fpoCostPage.mjs";
import { heldSection } from "./fpoHeldPage.mjs";
import { failures, madeBy, plain, searchSection, settingsSection, spread, table } from "./markdown.mjs";
import { paperMethods } from "./paperFpo.mjs";
import { claim, pairedDifference, shapeSentence } from "./shape.mjs";
import { columns, columnsOf, settings } from "./training.mjs";

/** What the first table reads beside what all tables read. */
const driftColumns = {
  driftChosen: ({ evalAfter }) => evalAfter["eval_features/mse_chosen"],
  driftRejected: ({ evalAfter }) => evalAfter["eval_features/mse_rejected"],
};
const allColumns = { ...columns, ...driftColumns };
const driftOf = (record) => (driftColumns.driftChosen(record) + driftColumns.driftRejected(record)) / 2;

function methodsTable(methods) {
  const head = [
    "method",
    "accuracy",
    "paper, %",
    "entropy",
    "paper, nats",
    "KL, chosen",
    "KL, rejected",
    "drift, chosen",
    "drift, rejected",
    "judge",
  ];
  const cells = methods.map(({ method, objective, runs }) => {
    const found = columnsOf(allColumns, runs);
    const paper = paperMethods[method];
    return [
      objective.label,
      spread(found.accuracy, 3),
      paper ? plain(paper.accuracy, 1) : "–",
      spread(found.entropy, 3),
      paper ? plain(paper.entropy, 2) : "–",
      spread(found.klChosen, 2),
      spread(found.klRejected, 2),
      spread(found.driftChosen, 4),
      spread(found.driftRejected, 4),
      spread(found.judge, 3),
    ];
  });
  return table(head, cells);
}

/** Orderings of the paper: accuracy and entropy of Table 2, the drift of features of the authors' repository. */
const orderings = [
  ["accuracy", "fpo", "dpo"],
  ["accuracy", "fpo", "simpo"],
  ["accuracy", "tdpo2", "dpo"],
  ["accuracy", "simpo", "dpo"],
  ["entropy", "fpo", "dpo"],
  ["entropy", "fpo", "simpo"],
  ["entropy", "tdpo2", "dpo"],
  ["entropy", "dpo", "simpo"],
  ["drift", "dpo", "fpo"],
  ["drift", "tdpo2", "fpo"],
  ["drift", "dpo", "tdpo2"],
];
const readers = { accuracy: columns.accuracy, entropy: columns.entropy, drift: driftOf };

/** Every ordering, for both rows of FPO where FPO takes part. */
function methodClaims(methods) {
  const rowsOf = (method) => methods.filter((row) => row.method === method);
  return orderings.flatMap(([what, above, below]) =>
    rowsOf(above).flatMap((over) =>
      rowsOf(below).map((under) => {
        const text = `${what} of ${over.objective.label} above ${under.objective.label}`;
        return claim(text, pairedDifference(over.runs, under.runs, readers[what]));
      }),
    ),
  );
}

function methodsSection({ methods }, { seeds, common }) {
  return `## The methods side by side, as in the paper's Table 2

${methodsTable(methods)}

Means over ${seeds} seeds (1 to ${seeds}) ± half a 95 % t interval, which is of seeds alone. The paper's columns are Gemma-2-2B on UltraFeedback
and share no scale with ours; only the order of rows can be compared.

- **accuracy**: share of ${settings.evalPairs} held-out pairs whose log-ratio to the reference is larger for the chosen answer. The paper scores by
  its own rewards.
- **entropy** (nats a token) and **KL** (reference to policy, nats an answer) on the same pairs.
- **drift**: the paper's D on the same pairs, of the features of the last layer, with k = ${TOP_K} for every method.
- Rows train at the rates that are named below; a larger rate can by itself make a larger KL and a larger drift.
- **judge**: mean score, from −1 to 1, of ${ROW_PROMPTS} answers drawn at temperature ${common.defaultConfig.sampleTemperature} to held-out prompts.
- FPO has two rows. Its log-ratios are per token, so at the paper's β of 0.1 the loss is nearly a straight line and all pairs weigh the
  same; at β 2 it is curved as DPO's is.

${shapeSentence(methodClaims(methods))}`;
}

const allRuns = ({ methods, ablation, cost, held }) => [
  ...new Set([
    ...methods.flatMap(({ searchRuns, runs }) => [...searchRuns, ...runs]),
    ...(ablation ?? []).flatMap(({ runs }) => runs),
    ...(held === null ? [] : [...held.searchRuns, ...held.runs, ...held.controlRuns]),
    ...(held?.added?.runs ?? []),
    ...(cost ?? []).flatMap(({ runs }) => runs),
  ]),
];

/** What is searched here, and where the other rates come from. */
function searchPart(methods) {
  const [known, searched] = [true, false].map((isKnown) =>
    methods.filter(({ search }) => (search.candidates.length === 0) === isKnown),
  );
  const rates = known.map(({ objective, search }) => `${objective.label} ${search.rate}`);
  const others =
    rates.length === 0
      ? ""
      : ` The others take the rate that this search, with the same seed, found for them in [objectives.md](objectives.md): ${rates.join(", ")}.`;
  return searchSection(searched, `Only FPO is searched for here.${others}`);
}

/** The whole page; parts that were not asked for are left out. */
export function fpoPage(found, options) {
  const { methods, ablation, cost, held } = found;
  const runs = allRuns(found);
  const sections = [
    methods.length > 2 ? methodsSection(found, options) : "",
    ablation === null ? "" : ablationSection(ablation, methods, options.seeds),
    cost === null ? "" : costSection(cost),
    held === null ? "" : heldSection(held, methods),
    methods.length === 0
      ? ""
      : settingsSection(methods, options.common, "the studio's defaults, but for FPO's β and k"),
    methods.length === 0 ? "" : searchPart(methods),
  ];
  return `# FPO beside the other methods

${madeBy(runs, options)}

${failures(runs)}

${sections.filter((text) => text !== "").join("\n\n")}
`;
}
