/** Models and data as the session holds them: read from the page's own folder or from the person's files. */
import { healthSentence } from "../engine/data/health.ts";
import { embeddedDatasets, embeddedModels } from "../engine/data/embedded.ts";
import { readPairs } from "../engine/data/readPairs.ts";
import { textOf, type PairRow, type RowProblem } from "../engine/data/row.ts";
import { tokenizeInTurns } from "../engine/data/tokenizePairs.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { allBytes, type FileInMemory } from "../engine/files/fileBytes.ts";
import { judges } from "../engine/judges/index.ts";
import type { Judge } from "../engine/judges/judge.ts";
import { loadModel, type LoadedModel, type ModelFile } from "../engine/models/loadModel.ts";
import { WeightTooLargeError } from "../engine/models/parcels.ts";
import type { LoadOptions } from "../engine/models/streamWeights.ts";
import { countParameters } from "../engine/models/weights.ts";
import { permutation, createRandom } from "../engine/data/random.ts";
import type { Device } from "../engine/tensor/device.ts";
import { GpuOutOfMemoryError } from "../engine/tensor/errors.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { refuse, refuseWeights } from "./errorReport.ts";
import { inTurns } from "./inTurns.ts";
import { fingerprintOf } from "./referenceIdentity.ts";
import type { LoadingEvent } from "./modelProtocol.ts";
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

/** Share of a local file's pairs that is held out. */
const HELDOUT_SHARE = 0.2;
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
export function readWhole(files: readonly LocalFile[]): Promise<FileInMemory[]> {
  return Promise.all(files.map(async ({ name, bytes }) => ({ name, bytes: await allBytes(bytes) })));
}

/** Tells one set of embedded weights from another, to whose remembered log-probs it belongs. */
export function weightsFingerprint(files: readonly ModelFile[]): Promise<string> {
  const weights = files.filter(({ name }) => name.endsWith("model.safetensors"));
  return fingerprintOf(weights.map(({ bytes }) => bytes));
}

/** What the page shows of a model. */
export function summarizeModel(id: string, { model, weights }: LoadedModel): Omit<ModelSummary, "sae"> {
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
    sizeBytes: Object.values(weights.bytesByLayout).reduce((sum, bytes) => sum + bytes, 0),
    weights,
  };
}

/** Loads a model onto the device; throws, with nothing left there, when the device has no room for it. */
export async function loadOnto(
  device: Device,
  files: readonly ModelFile[],
  options: LoadOptions,
): Promise<LoadedModel> {
  try {
    return await loadModel(files, options);
  } catch (error) {
    device.takeErrors();
    if (error instanceof GpuOutOfMemoryError && !(error instanceof WeightTooLargeError)) refuseWeights();
    throw error;
  }
}

/** Shortest time between two reports of progress. */
const PROGRESS_MS = 100;

/** Tells how far the loading is, at most ten times a second, and at its end. */
export function tellLoading(emit: (event: LoadingEvent) => void): NonNullable<LoadOptions["onProgress"]> {
  let toldMs = Number.NEGATIVE_INFINITY;
  return (doneBytes, totalBytes) => {
    const now = performance.now();
    if (doneBytes < totalBytes && now - toldMs < PROGRESS_MS) return;
    toldMs = now;
    emit({ type: "loading", doneBytes, totalBytes });
  };
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
      : readLocal(await readWhole(question.files));
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
    [dataset.files.train, dataset.files.heldout].map(async (path) => readPairs(await fetchFile(path), path)),
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

/** A local file is split by prompt, so that no held-out prompt is trained on. */
function readLocal(files: readonly FileInMemory[]): RawData {
  const [file] = files;
  if (file === undefined || files.length > 1) {
    refuse("FIL-1", `${files.length} data files were chosen; choose one .jsonl file of pairs.`);
  }
  const { rows, problems } = readPairs(file.bytes, file.name);
  const prompts = [...new Set(rows.map(promptText))];
  const order = permutation(prompts.length, createRandom(0));
  const heldoutCount = Math.max(1, Math.round(prompts.length * HELDOUT_SHARE));
  const heldout = new Set(Array.from(order.slice(0, heldoutCount), (index) => prompts[index]));
  return {
    id: "local",
    label: file.name,
    judge: null,
    trainRows: rows.filter((row) => !heldout.has(promptText(row))),
    heldoutRows: rows.filter((row) => heldout.has(promptText(row))),
    problems,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
