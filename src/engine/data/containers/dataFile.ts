import type { FileBytes } from "../../files/fileBytes.ts";
import { DatasetError } from "../datasetError.ts";

/** A file of data, named as the person has it. */
export interface DataFile {
  readonly name: string;
  readonly bytes: FileBytes;
}

/** Which entries of a file are wanted, counted from 0. */
export interface RowRange {
  readonly from: number;
  readonly count: number;
}

/** A value and where it stands in its file, counted from 1; undefined where the text was not JSON. */
export interface Entry {
  readonly row: number;
  readonly value: unknown;
  /** Why the entry cannot be relied on, where its container tells. */
  readonly flaw?: string;
}

/** Entries of a file, some at a time, so that a large file keeps nothing waiting. */
export type Entries = AsyncGenerator<readonly Entry[], void, void>;

/** A file that was opened as what its name says. */
export interface OpenedFile {
  /** Every cell is a text, as in CSV, whatever it stands for. */
  readonly isTextOnly: boolean;
  readonly entries: Entries;
}

/** Entries between two turns. */
export const ENTRIES_PER_TURN = 512;

/** What is told where a file is none of these. */
export const ACCEPTED = "JSONL, JSON, CSV or TSV, also as .gz, Parquet, or a .zip that holds one of them";

/** A file of another kind than those that are accepted. */
export function unknownFile(file: string, detail: string, accepted: string = ACCEPTED): DatasetError {
  return new DatasetError("FIL-1", file, `"${file}" is not a format I know${detail}. Accepted: ${accepted}.`);
}

/** A file that is damaged or too large to be read. */
export function unreadable(file: string, problem: string): DatasetError {
  return new DatasetError("FIL-1", file, `"${file}" cannot be read: ${problem}`);
}

/** Whether an entry, counted from 0, is wanted, or one behind it may be. */
export function placeIn(range: RowRange | null, index: number): "before" | "in" | "behind" {
  if (range === null) return "in";
  if (index < range.from) return "before";
  return index < range.from + range.count ? "in" : "behind";
}
