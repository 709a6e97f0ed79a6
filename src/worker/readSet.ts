/** Preference sets as they are read: those that come along, and the person's own files. */
import { embeddedDatasets } from "../engine/data/embedded.ts";
import { readDataSet } from "../engine/data/readDataSet.ts";
import type { PairRow, RowProblem } from "../engine/data/row.ts";
import { nothingToTrain, splitDataSet } from "../engine/data/splitDataSet.ts";
import { judges } from "../engine/judges/index.ts";
import type { Judge } from "../engine/judges/judge.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { refuse } from "./errorReport.ts";
import type { FetchFile } from "./library.ts";
import type { Commands, LocalFile } from "./protocol.ts";

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

/** Reads an embedded set, of which an objective's rows are taken. */
export async function readEmbedded(
  { id, objective: wanted }: { readonly id: string; readonly objective: string },
  fetchFile: FetchFile,
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

/** The person's own files. */
export async function readLocal(
  files: readonly LocalFile[],
  { layout, columns }: Pick<Commands["loadData"]["question"], "layout" | "columns">,
): Promise<RawSet> {
  const set = await readDataSet(files, { layout, columns });
  const missing = nothingToTrain(set);
  if (missing !== null) refuse("DAT-1", missing);
  const { train, heldout } = splitDataSet(set);
  return { id: "local", label: set.label, judge: null, train, heldout, problems: set.problems };
}
