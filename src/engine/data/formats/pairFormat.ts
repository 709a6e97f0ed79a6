import type { PairRow, ProblemKind } from "../row.ts";

/** One row as parsed from JSON. */
export type RawRow = Readonly<Record<string, unknown>>;

/** A row read by a layout, or the reason why it cannot be. */
export type ReadRow =
  | { readonly row: Omit<PairRow, "source"> }
  | { readonly problem: { readonly kind: ProblemKind; readonly reason: string } };

/** A dataset layout: which columns it has, and how a row of it becomes a pair. */
export interface PairFormat {
  /** Columns every row must have. */
  readonly columns: readonly string[];
  /** Reads a row that has all `columns`; never throws. */
  readonly readRow: (raw: RawRow) => ReadRow;
}
