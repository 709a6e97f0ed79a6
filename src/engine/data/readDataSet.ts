/** The one way to read data: files of any container, rows of any layout, into the rows that are trained on. */
import {
  unknownFile,
  type DataFile,
  type Entries,
  type Entry,
  type RowRange,
} from "./containers/dataFile.ts";
import { openDataFile } from "./containers/index.ts";
import { DatasetError } from "./datasetError.ts";
import { detectLayout, fitLayout, type Detection } from "./detectLayout.ts";
import type { DataKind, ReadRow } from "./formats/dataFormat.ts";
import { dataFormats } from "./formats/index.ts";
import { pairByPrompt } from "./pairLabelled.ts";
import { asRow, isRawRow, readEntry, type ReadEntry, type Reader } from "./readEntry.ts";
import { textOf, type LabelledRow, type PairRow, type RowProblem, type Text } from "./row.ts";

/** How a set is read; everything may be left out. */
export interface ReadDataOptions {
  /** Id of a layout; empty for the one that the columns tell. */
  readonly layout?: string;
  /** Columns that were named by hand: role → column. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Which entries of every file are read; a Parquet file is read nowhere else. */
  readonly rows?: RowRange | null;
  /** SHP: least factor between the scores of two comments. */
  readonly scoreRatioFloor?: number;
}

/** A set as it was read. */
export interface DataSet {
  /** Names of its files. */
  readonly label: string;
  readonly columns: readonly string[];
  /** Id of the layout that it was read with. */
  readonly layout: string;
  readonly kind: DataKind;
  readonly columnsByRole: Readonly<Record<string, string>>;
  /** False where somebody should look at the columns before the set is used. */
  readonly isCertain: boolean;
  /** Ids of other layouts whose columns the rows have. */
  readonly alternatives: readonly string[];
  /** All entries that were read, usable or not. */
  readonly entries: number;
  /** What can be trained on, in the order of the files. */
  readonly rows: readonly PairRow[];
  /** Labelled answers to whose prompt there is none of the other label: `splitDataSet` pairs them across prompts. */
  readonly unpaired: readonly LabelledRow[];
  /** Prompts without answers. */
  readonly prompts: readonly { readonly prompt: Text; readonly source: PairRow["source"] }[];
  /** Rows that were left out, each with its number and reason. */
  readonly problems: readonly RowProblem[];
  /** The first rows: their cells as text, and what was read or why nothing was. */
  readonly preview: readonly RowPreview[];
}

/** A row of a file beside what it was read into. */
export interface RowPreview {
  readonly cells: Readonly<Record<string, string>>;
  readonly pair: { readonly prompt: string; readonly chosen: string; readonly rejected: string } | null;
  readonly reason: string;
}

/** Rows of the first file that tell the layout. */
const DETECTED_ROWS = 100;
const PREVIEW_ROWS = 8;
const PREVIEW_CHARACTERS = 2000;

/**
 * Reads a set of one or several files of one layout. Bad rows are left out, each with its number and reason. Throws
 * `DatasetError` for a file that is none (FIL-1) and for columns that no layout knows (DAT-1).
 */
export async function readDataSet(
  files: readonly DataFile[],
  { layout = "", columns = {}, rows = null, scoreRatioFloor = 0 }: ReadDataOptions = {},
): Promise<DataSet> {
  const label = files.map(({ name }) => name).join(", ");
  let found: Detection | null = null;
  const collected = new Collected();
  for (const file of files) {
    const { isTextOnly, entries } = await openDataFile(file, { range: rows });
    const first = await takeFirst(entries);
    found ??= layoutOf(file.name, first, { isTextOnly, layout, columns });
    const reader = { format: found.format, columns: found.columns, isTextOnly, scoreRatioFloor };
    collected.add(file.name, reader, first);
    for await (const some of entries) collected.add(file.name, reader, some);
  }
  if (found === null) throw unknownFile(label, ": there is no file");
  const { pairs, unpaired } = pairByPrompt(collected.labelled);
  return {
    label,
    columns: [...collected.columns],
    layout: found.format.id,
    kind: found.format.kind,
    columnsByRole: found.columns,
    isCertain: found.isCertain,
    alternatives: found.alternatives,
    entries: collected.entries,
    rows: [...collected.pairs, ...pairs],
    unpaired,
    prompts: collected.prompts,
    problems: collected.problems,
    preview: collected.preview,
  };
}

/** The first entries of a file; the rest stays to be read. */
async function takeFirst(entries: Entries): Promise<Entry[]> {
  const first: Entry[] = [];
  while (first.length < DETECTED_ROWS) {
    const next = await entries.next();
    if (next.done === true) break;
    first.push(...next.value);
  }
  return first;
}

/** The layout that was asked for, or the one the first rows tell, with the columns that were named by hand. */
function layoutOf(
  file: string,
  entries: readonly Entry[],
  {
    isTextOnly,
    layout,
    columns,
  }: { isTextOnly: boolean; layout: string; columns: Readonly<Record<string, string>> },
): Detection {
  if (entries.length === 0) throw new DatasetError("FIL-1", file, `"${file}" holds no rows.`);
  const rows = entries
    .slice(0, DETECTED_ROWS)
    .map(({ value }) => asRow(value))
    .filter(isRawRow);
  if (rows.length === 0) throw unknownFile(file, ": no row of it is a JSON object");
  const detected = detectLayout({ rows, isTextOnly });
  if (layout === "") return { ...detected, columns: { ...detected.columns, ...columns } };
  const format = dataFormats.find(({ id }) => id === layout);
  if (format === undefined) throw new DatasetError("DAT-1", file, `There is no layout "${layout}".`);
  const asked = fitLayout(format, { rows, isTextOnly }, columns);
  const others = [detected.format.id, ...detected.alternatives].filter((id) => id !== layout);
  return { ...asked, alternatives: others };
}

/** What was collected of the files so far. */
class Collected {
  readonly pairs: PairRow[] = [];
  readonly labelled: LabelledRow[] = [];
  readonly prompts: DataSet["prompts"][number][] = [];
  readonly problems: RowProblem[] = [];
  readonly preview: RowPreview[] = [];
  readonly columns = new Set<string>();
  entries = 0;

  add(file: string, reader: Reader, entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.entries += 1;
      const outcome = readEntry(entry, reader);
      const raw = asRow(entry.value);
      if (isRawRow(raw)) for (const column of Object.keys(raw)) this.columns.add(column);
      if (this.preview.length < PREVIEW_ROWS) this.preview.push(previewOf(entry, outcome));
      if ("problem" in outcome) this.problems.push({ row: entry.row, file, ...outcome.problem });
      else this.#keep(outcome.row, { file, row: entry.row });
    }
  }

  #keep(row: ReadRow, source: PairRow["source"]): void {
    if (row.kind === "prompt") this.prompts.push({ prompt: row.prompt, source });
    else if (row.kind === "labelled") {
      const { prompt, completion, isGood } = row;
      this.labelled.push({ prompt, completion, isGood, source });
    } else {
      const { kind: _, ...pair } = row;
      this.pairs.push({ ...pair, source });
    }
  }
}

function previewOf({ value }: Entry, outcome: ReadEntry): RowPreview {
  const raw = asRow(value);
  const cells = Object.entries(isRawRow(raw) ? raw : {}).map(([column, cell]) => [column, cellText(cell)]);
  return {
    cells: Object.fromEntries(cells) as Record<string, string>,
    pair: "row" in outcome ? pairTexts(outcome.row) : null,
    reason: "row" in outcome ? "" : outcome.problem.reason,
  };
}

function pairTexts(row: ReadRow): NonNullable<RowPreview["pair"]> {
  const prompt = textOf(row.prompt);
  if (row.kind === "prompt") return { prompt, chosen: "", rejected: "" };
  if (row.kind === "pair") return { prompt, chosen: textOf(row.chosen), rejected: textOf(row.rejected) };
  const answer = textOf(row.completion);
  return row.isGood ? { prompt, chosen: answer, rejected: "" } : { prompt, chosen: "", rejected: answer };
}

/** A cell as a person reads it, cut where it is long. */
function cellText(cell: unknown): string {
  const text = typeof cell === "string" ? cell : (JSON.stringify(cell, withoutBigInts) ?? "");
  return text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
}

function withoutBigInts(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
