/** Preference sets as they are read: those that come along, and the person's own files. */
import { embeddedDatasets } from "../engine/data/embedded.ts";
import { createRandom, permutation } from "../engine/data/random.ts";
import { readPairs } from "../engine/data/readPairs.ts";
import { textOf, type PairRow, type RowProblem } from "../engine/data/row.ts";
import { judges } from "../engine/judges/index.ts";
import type { Judge } from "../engine/judges/judge.ts";
import type { ModelFile } from "../engine/models/loadModel.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { refuse } from "./errorReport.ts";
import type { FetchFile } from "./library.ts";

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

/** Share of a local file's pairs that is held out. */
const HELDOUT_SHARE = 0.2;

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
    [dataset.files.train, dataset.files.heldout].map(async (path) => readPairs(await fetchFile(path), path)),
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

/** A local file is split by prompt, so that no held-out prompt is trained on. */
export function readLocal(files: readonly ModelFile[]): RawSet {
  const [file] = files;
  if (file === undefined || files.length > 1) {
    refuse("FIL-1", `${files.length} data files were chosen; choose one .jsonl file of pairs.`);
  }
  const { rows, problems } = readPairs(file.bytes, file.name);
  const prompts = [...new Set(rows.map(({ prompt }) => textOf(prompt)))];
  const order = permutation(prompts.length, createRandom(0));
  const heldoutCount = Math.max(1, Math.round(prompts.length * HELDOUT_SHARE));
  const heldout = new Set(Array.from(order.slice(0, heldoutCount), (index) => prompts[index]));
  return {
    id: "local",
    label: file.name,
    judge: null,
    train: rows.filter((row) => !heldout.has(textOf(row.prompt))),
    heldout: rows.filter((row) => heldout.has(textOf(row.prompt))),
    problems,
  };
}
