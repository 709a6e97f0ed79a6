/** Models and data as the session holds them: read from the page's own folder or from the person's files. */
import { healthSentence } from "../engine/data/health.ts";
import { embeddedDatasets, embeddedModels } from "../engine/data/embedded.ts";
import { readDataSet } from "../engine/data/readDataSet.ts";
import { splitDataSet } from "../engine/data/splitDataSet.ts";
import { textOf, type PairRow, type RowProblem } from "../engine/data/row.ts";
import { tokenizeInTurns } from "../engine/data/tokenizePairs.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { allBytes } from "../engine/files/fileBytes.ts";
import { judges } from "../engine/judges/index.ts";
import type { Judge } from "../engine/judges/judge.ts";
import type { LoadedModel, ModelFile } from "../engine/models/loadModel.ts";
import { countParameters } from "../engine/models/weights.ts";
import type { Device } from "../engine/tensor/device.ts";
import { GpuOutOfMemoryError } from "../engine/tensor/errors.ts";
import { fingerprint } from "../engine/reference/fingerprint.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { refuse, refuseWeights } from "./errorReport.ts";
import { inTurns } from "./inTurns.ts";
import type { Commands, DataSummary, LocalFile, ModelSummary, PairText } from "./protocol.ts";

/** A preference set that is ready to train on. */
export interface LoadedData {
  readonly id: string;
  readonly train: readonly TokenPair[];
  readonly heldout: readonly TokenPair[];
  /** Rows of the held-out pairs: `heldout[i].row` is an index into these. */
  readonly heldoutRows: readonly PairRow[];
  readonly judge: Judge | null;
  /** Reference log-probs that came along; absent for the person's own files. */
  readonly shipped?: ShippedReference;
  readonly summary: DataSummary;
  /** The settings it was read with: pairs that were read with others are other pairs. */
  readonly settings: Pick<Commands["loadData"]["question"], "objective" | "maxTokens" | "terminator">;
}

const EXAMPLES = 8;
const CHIPS = 4;

/** Fetches a file of the page's own folder. */
export type FetchFile = (path: string) => Promise<Uint8Array>;

/** Files of an embedded model. */
export async function embeddedModelFiles(id: string, fetchFile: FetchFile): Promise<ModelFile[]> {
  const embedded = embeddedModels.find((candidate) => candidate.id === id);
  if (embedded === undefined) refuse("CFG-1", `There is no embedded model "${id}".`);
  return Promise.all(
    embedded.files.map(async (name) => ({ name, bytes: await fetchFile(`${embedded.folder}/${name}`) })),
  );
}

/** Files with all their bytes in memory. */
export function readWhole(files: readonly LocalFile[]): Promise<ModelFile[]> {
  return Promise.all(files.map(async ({ name, bytes }) => ({ name, bytes: await allBytes(bytes) })));
}

/** Tells one set of embedded weights from another, to whose remembered log-probs it belongs. */
export function weightsFingerprint(files: readonly ModelFile[]): string {
  return fingerprint(files.find(({ name }) => name.endsWith("model.safetensors"))?.bytes ?? new Uint8Array());
}

/** What the page shows of a model. */
export function summarizeModel(id: string, { model }: LoadedModel): Omit<ModelSummary, "sae"> {
  const { config } = model;
  const parameters = countParameters(model);
  const label = embeddedModels.find((candidate) => candidate.id === id)?.label ?? "Local model";
  return {
    id,
    label,
    architecture: config.architecture,
    parameters,
    layers: config.layers,
    hiddenSize: config.hiddenSize,
    vocabularySize: config.vocabularySize,
    maxPositions: config.maxPositions,
    sizeBytes: parameters * Float32Array.BYTES_PER_ELEMENT,
    weights: {
      bytesByLayout: { f32: parameters * Float32Array.BYTES_PER_ELEMENT },
      rounding: [],
    },
  };
}

/** Waits until the weights have arrived; frees them and throws when the device had no room for them. */
export async function checkUpload(device: Device, loaded: LoadedModel): Promise<void> {
  await device.settled();
  const [error] = device.takeErrors();
  if (error === undefined) return;
  loaded.dispose();
  if (error instanceof GpuOutOfMemoryError) refuseWeights();
  throw error;
}

interface RawData {
  readonly id: string;
  readonly label: string;
  readonly judge: Judge | null;
  readonly trainRows: readonly PairRow[];
  readonly heldoutRows: readonly PairRow[];
  readonly problems: readonly RowProblem[];
  readonly shipped?: ShippedReference;
}

/** Reads and tokenises a preference set for a model. Throws when no usable pair is left on either side. */
export async function loadData(
  question: Commands["loadData"]["question"],
  { model, tokenizer }: LoadedModel,
  fetchFile: FetchFile,
): Promise<LoadedData> {
  const raw =
    question.files === null
      ? await readEmbedded(question, fetchFile)
      : await readLocal(question.files, question);
  const maxTokens = Math.min(question.maxTokens, model.config.maxPositions);
  const { terminator } = question;
  const options = { tokenizer, maxTokens, ...(terminator === "auto" ? {} : { terminator }) };
  const train = await inTurns(tokenizeInTurns(raw.trainRows, options));
  const heldout = await inTurns(tokenizeInTurns(raw.heldoutRows, options));
  const problems = [...raw.problems, ...train.problems, ...heldout.problems].toSorted(
    (a, b) => a.row - b.row,
  );
  const pairs = raw.trainRows.length + raw.heldoutRows.length + raw.problems.length;
  if (train.pairs.length === 0 || heldout.pairs.length === 0)
    refuse("DAT-1", noPairs(raw.label, pairs, problems));
  const cutAnswers = train.counts.cutAnswers + heldout.counts.cutAnswers;
  return {
    id: raw.id,
    settings: { objective: question.objective, maxTokens: question.maxTokens, terminator },
    train: withRewardGaps(train.pairs, raw.trainRows, raw.judge),
    heldout: withRewardGaps(heldout.pairs, raw.heldoutRows, raw.judge),
    heldoutRows: raw.heldoutRows,
    judge: raw.judge,
    ...(raw.shipped === undefined ? {} : { shipped: raw.shipped }),
    summary: {
      id: raw.id,
      label: raw.label,
      objective: question.objective,
      trainPairs: train.pairs.length,
      heldoutPairs: heldout.pairs.length,
      meanChosenTokens: mean(train.pairs.map(({ chosen }) => chosen.length)),
      meanRejectedTokens: mean(train.pairs.map(({ rejected }) => rejected.length)),
      examples: raw.trainRows.slice(0, EXAMPLES).map(pairText),
      promptChips: heldout.pairs.slice(0, CHIPS).map((pair) => promptText(raw.heldoutRows[pair.row])),
      notes: problems.map(({ row, reason }) => ({ row, reason })),
      healthMessage: healthSentence({ pairs, problems, cutAnswers, maxTokens }),
      truncatedPrompts: train.counts.truncatedPrompts + heldout.counts.truncatedPrompts,
      answersApart: train.counts.apart + heldout.counts.apart,
      judge: raw.judge?.label ?? null,
    },
  };
}

/** Rows of a file without pairs that are told with their reasons. */
const TOLD_ROWS = 3;

/** Why nothing of a set can be used: how much of it was left out, and the first rows with their reasons. */
function noPairs(label: string, pairs: number, problems: readonly RowProblem[]): string {
  const left = `"${label}" leaves no pairs to train and to evaluate on: ${problems.length} of ${pairs} rows were left out.`;
  const told = problems.slice(0, TOLD_ROWS).map(({ row, reason }) => `Row ${row}: ${reason}.`);
  const rest = problems.length > TOLD_ROWS ? ["And so on."] : [];
  return [left, ...told, ...rest].join(" ");
}

/** The pairs with the judge's opinion of each, where the data brings no scores of its own. */
function withRewardGaps(
  pairs: readonly TokenPair[],
  rows: readonly PairRow[],
  judge: Judge | null,
): readonly TokenPair[] {
  if (judge === null) return pairs;
  return pairs.map((pair) => {
    const row = rows[pair.row];
    if (pair.rewardGap !== undefined || row === undefined) return pair;
    const score = (answer: PairRow["chosen"]) => judge.score(textOf(row.prompt), textOf(answer));
    return { ...pair, rewardGap: score(row.chosen) - score(row.rejected) };
  });
}

/** A row as plain text. */
export function pairText({ prompt, chosen, rejected }: PairRow): PairText {
  return { prompt: textOf(prompt), chosen: textOf(chosen), rejected: textOf(rejected) };
}

/** The prompt that a judge and a person see. */
export function promptText(row: PairRow | undefined): string {
  return row === undefined ? "" : textOf(row.prompt);
}

async function readEmbedded(
  { id, objective: wanted }: Commands["loadData"]["question"],
  fetchFile: FetchFile,
): Promise<RawData> {
  const dataset = embeddedDatasets.find((candidate) => candidate.id === id);
  if (dataset === undefined) refuse("CFG-1", `There is no embedded preference set "${id}".`);
  const objective = dataset.objectives.find((candidate) => candidate.id === wanted) ?? dataset.objectives[0];
  if (objective === undefined) refuse("CFG-1", `"${id}" has no objective "${wanted}".`);
  const [train, heldout] = await Promise.all(
    [dataset.files.train, dataset.files.heldout].map(async (name) =>
      readDataSet([{ name, bytes: await fetchFile(name) }]),
    ),
  );
  const reference = new TextDecoder().decode(await fetchFile(dataset.reference));
  const ofObjective = (rows: readonly PairRow[] = []) =>
    rows.filter((row) => row.objective === undefined || row.objective === objective.id);
  return {
    id,
    label: dataset.label,
    judge: (judges as Record<string, Judge>)[objective.judge] ?? null,
    trainRows: ofObjective(train?.rows),
    heldoutRows: ofObjective(heldout?.rows),
    problems: [...(train?.problems ?? []), ...(heldout?.problems ?? [])],
    shipped: JSON.parse(reference) as ShippedReference,
  };
}

/** The person's own files. */
async function readLocal(
  files: readonly LocalFile[],
  { layout, columns }: Pick<Commands["loadData"]["question"], "layout" | "columns">,
): Promise<RawData> {
  const set = await readDataSet(files, { layout, columns });
  const { train, heldout } = splitDataSet(set);
  return {
    id: "local",
    label: set.label,
    judge: null,
    trainRows: train,
    heldoutRows: heldout,
    problems: set.problems,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
