/** Preference sets as they are read: those that come along, the person's own files, and files of the Hub. */
import type { DataFile, RowRange } from "../engine/data/containers/dataFile.ts";
import { embeddedDatasets } from "../engine/data/embedded.ts";
import { readDataSet } from "../engine/data/readDataSet.ts";
import type { PairRow, RowProblem } from "../engine/data/row.ts";
import { nothingToTrain, splitDataSet } from "../engine/data/splitDataSet.ts";
import { judges } from "../engine/judges/index.ts";
import type { Judge } from "../engine/judges/judge.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { refuse } from "./errorReport.ts";
import type { FetchFile } from "./library.ts";
import type { Commands } from "./protocol.ts";

/** A set before anything is done to it. */
export interface RawSet {
  readonly id: string;
  readonly label: string;
  readonly judge: Judge | null;
  readonly train: readonly PairRow[];
  readonly heldout: readonly PairRow[];
  readonly problems: readonly RowProblem[];
  /** Reference log-probs that came along. */
  readonly shipped?: ShippedReference;
}

/** How ids of data sets on the Hub begin, and how they say that only the first rows are wanted. */
const HUB = "hub:";
const ROWS_ASKED = /\?rows=(\d+)$/;

/** Where sets come from. */
export interface SetSources {
  readonly fetchFile: FetchFile;
  /** Opens a file of rows on the Hub by its id; absent where there is no Hub. */
  readonly openHubData?: (id: string) => Promise<DataFile>;
}

/** Which set: the person's own files, or one by its id. */
export type WhichSet = Pick<Commands["loadData"]["question"], "id" | "files">;

/** Files of a set and which of their rows are wanted; null for all. */
interface SetFiles {
  readonly files: readonly DataFile[];
  readonly rows: RowRange | null;
}

/** Reads an embedded set, of which an objective's rows are taken. */
export async function readEmbedded(
  { id, objective: wanted }: { readonly id: string; readonly objective: string },
  { fetchFile }: Pick<SetSources, "fetchFile">,
): Promise<RawSet> {
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
    train: ofObjective(train?.rows),
    heldout: ofObjective(heldout?.rows),
    problems: [...(train?.problems ?? []), ...(heldout?.problems ?? [])],
    shipped: JSON.parse(reference) as ShippedReference,
  };
}

/** Files of a set that does not come along: the person's own, or a file of the Hub. */
async function filesElsewhere(
  { id, files }: WhichSet,
  { openHubData }: SetSources,
): Promise<SetFiles | null> {
  if (files !== null) return { files, rows: null };
  if (!id.startsWith(HUB)) return null;
  if (openHubData === undefined) refuse("NET-1", "Data sets on the Hub cannot be reached from here.");
  const count = Number(ROWS_ASKED.exec(id)?.[1] ?? Infinity);
  const file = await openHubData(id);
  return { files: [file], rows: Number.isFinite(count) ? { from: 0, count } : null };
}

/** The files of a set, and which of their rows are wanted. */
export async function filesOf(which: WhichSet, sources: SetSources): Promise<SetFiles> {
  const elsewhere = await filesElsewhere(which, sources);
  if (elsewhere !== null) return elsewhere;
  const dataset = embeddedDatasets.find(({ id }) => id === which.id);
  if (dataset === undefined) refuse("CFG-1", `There is no embedded preference set "${which.id}".`);
  const names = [dataset.files.train, dataset.files.heldout];
  const files = names.map(async (name) => ({ name, bytes: await sources.fetchFile(name) }));
  return { files: await Promise.all(files), rows: null };
}

/** Reads the set that a question names. */
export async function readSet(
  question: WhichSet & Pick<Commands["loadData"]["question"], "objective" | "layout" | "columns">,
  sources: SetSources,
): Promise<RawSet> {
  const elsewhere = await filesElsewhere(question, sources);
  if (elsewhere === null) return readEmbedded(question, sources);
  const { layout, columns } = question;
  const set = await readDataSet(elsewhere.files, { layout, columns, rows: elsewhere.rows });
  const missing = nothingToTrain(set);
  if (missing !== null) refuse("DAT-1", missing);
  const { train, heldout } = splitDataSet(set);
  const id = question.files === null ? question.id : "local";
  return { id, label: set.label, judge: null, train, heldout, problems: set.problems };
}
