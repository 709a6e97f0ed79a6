/** Models and data as the session holds them: read from the page's own folder or from the person's files. */
import { healthSentence } from "../engine/data/health/leftOut.ts";
import { embeddedModels } from "../engine/data/embedded.ts";
import { textOf, type PairRow, type RowProblem } from "../engine/data/row.ts";
import { gapOf, type SetRow } from "../engine/data/steps/setRow.ts";
import { tokenizeInTurns } from "../engine/data/tokenizePairs.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import type { Judge } from "../engine/judges/judge.ts";
import { loadModel, type LoadedModel, type ModelFile } from "../engine/models/loadModel.ts";
import { WeightTooLargeError } from "../engine/models/parcels.ts";
import type { LoadOptions } from "../engine/models/streamWeights.ts";
import { countParameters } from "../engine/models/weights.ts";
import type { Device } from "../engine/tensor/device.ts";
import { GpuOutOfMemoryError } from "../engine/tensor/errors.ts";
import type { BaseWeights } from "../engine/training/config.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { refuse, refuseWeights } from "./errorReport.ts";
import { inTurns, takingTurns } from "./inTurns.ts";
import { fingerprintOf, modelPrints, type ModelPrints } from "./referenceIdentity.ts";
import type { LoadingEvent } from "./modelProtocol.ts";
import type { Commands, DataSummary, ModelSummary, PairText } from "./protocol.ts";
import { readSet, type SetSources } from "./readSet.ts";
import { takeSteps } from "./takeSteps.ts";

/** A preference set that is ready to train on. */
export interface LoadedData {
  readonly id: string;
  readonly train: readonly TokenPair[];
  readonly heldout: readonly TokenPair[];
  /** Rows of the pairs, after the steps: `train[i].row` and `heldout[i].row` are indices into these. */
  readonly trainRows: readonly SetRow[];
  readonly heldoutRows: readonly SetRow[];
  readonly judge: Judge | null;
  /** Reference log-probs that came along; absent for the person's own files. */
  readonly shipped?: ShippedReference;
  readonly summary: DataSummary;
  /** The settings it was read with: pairs that were read with others are other pairs. */
  readonly settings: Omit<Commands["loadData"]["question"], "id" | "files">;
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

/** Tells one set of embedded weights from another, to whose remembered log-probs it belongs. */
export function weightsFingerprint(files: readonly ModelFile[]): Promise<string> {
  const weights = files.filter(({ name }) => name.endsWith("model.safetensors"));
  return fingerprintOf(weights.map(({ bytes }) => bytes));
}

/** What tells a model from others; reads its files again. Only of a shipped one is the fingerprint not "". */
export async function identify(
  files: readonly ModelFile[],
  { weights, isShipped }: { readonly weights: BaseWeights; readonly isShipped: boolean },
): Promise<{ readonly prints: ModelPrints; readonly fingerprint: string }> {
  const prints = await modelPrints(files, weights);
  return { prints, fingerprint: isShipped ? await weightsFingerprint(files) : "" };
}

/** What the page shows of a model. */
export function summarizeModel(
  id: string,
  { model, weights }: LoadedModel,
  given: string | null,
): Omit<ModelSummary, "sae"> {
  const { config } = model;
  const parameters = countParameters(model);
  const label = embeddedModels.find((candidate) => candidate.id === id)?.label ?? given ?? id;
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

/**
 * Reads a preference set, takes its steps and tokenises it for a model. Throws when no usable pair is left on either side,
 * and where a step cannot be done.
 */
export async function loadData(
  question: Commands["loadData"]["question"],
  loaded: LoadedModel,
  sources: SetSources,
): Promise<LoadedData> {
  const { id: _id, files: _files, ...settings } = question;
  const { model, tokenizer } = loaded;
  const maxTokens = Math.min(question.maxTokens, model.config.maxPositions);
  const { terminator } = question;
  const options = { tokenizer, maxTokens, ...(terminator === "auto" ? {} : { terminator }) };
  const raw = await readSet(question, sources);
  const { set, done, shipped } = await takeSteps(raw, question, { ...sources, loaded, options });
  const train = await inTurns(tokenizeInTurns(set.train, options));
  const heldout = await inTurns(tokenizeInTurns(set.heldout, options));
  const problems = [...raw.problems, ...train.problems, ...heldout.problems].toSorted(
    (a, b) => a.row - b.row,
  );
  const pairs = set.train.length + set.heldout.length + raw.problems.length;
  if (train.pairs.length === 0 || heldout.pairs.length === 0)
    refuse("DAT-1", noPairs(raw.label, pairs, problems));
  const cutAnswers = train.counts.cutAnswers + heldout.counts.cutAnswers;
  return {
    id: raw.id,
    settings,
    train: await withRewardGaps(train.pairs, set.train),
    heldout: await withRewardGaps(heldout.pairs, set.heldout),
    trainRows: set.train,
    heldoutRows: set.heldout,
    judge: raw.judge,
    ...(shipped === undefined ? {} : { shipped }),
    summary: {
      id: raw.id,
      label: raw.label,
      objective: question.objective,
      trainPairs: train.pairs.length,
      heldoutPairs: heldout.pairs.length,
      meanChosenTokens: mean(train.pairs.map(({ chosen }) => chosen.length)),
      meanRejectedTokens: mean(train.pairs.map(({ rejected }) => rejected.length)),
      examples: set.train.slice(0, EXAMPLES).map(pairText),
      promptChips: heldout.pairs.slice(0, CHIPS).map((pair) => promptText(set.heldout[pair.row])),
      notes: problems.map(({ row, reason }) => ({ row, reason })),
      healthMessage: healthSentence({ pairs, problems, cutAnswers, maxTokens }),
      truncatedPrompts: train.counts.truncatedPrompts + heldout.counts.truncatedPrompts,
      answersApart: train.counts.apart + heldout.counts.apart,
      judge: raw.judge?.label ?? null,
      readPairs: raw.train.length + raw.heldout.length,
      steps: done,
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

/** The pairs with the opinion of each row's own judge, where the data brings no scores of its own. */
async function withRewardGaps(
  pairs: readonly TokenPair[],
  rows: readonly SetRow[],
): Promise<readonly TokenPair[]> {
  const giveWay = takingTurns();
  const judged: TokenPair[] = [];
  for (const pair of pairs) {
    const row = rows[pair.row];
    const gap = pair.rewardGap === undefined && row !== undefined ? gapOf(row) : null;
    judged.push(gap === null ? pair : { ...pair, rewardGap: gap });
    await giveWay();
  }
  return judged;
}

/** A row as plain text. */
export function pairText({ prompt, chosen, rejected }: PairRow): PairText {
  return { prompt: textOf(prompt), chosen: textOf(chosen), rejected: textOf(rejected) };
}

/** The prompt that a judge and a person see. */
export function promptText(row: PairRow | undefined): string {
  return row === undefined ? "" : textOf(row.prompt);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
