import type { LabelledRow, PairRow, ProblemKind, Text } from "../row.ts";
import type { Accepts, Cells } from "./cells.ts";

/** One row as it stands in a file: values by column. */
export type RawRow = Readonly<Record<string, unknown>>;

/** What rows of a layout are: two answers to a prompt, labelled answers, answers to copy, or prompts alone. */
export type DataKind = "pairs" | "unpaired" | "sft" | "prompts";

/** What a column is for. */
export interface Role {
  readonly id: string;
  /** Name of the column where nothing else is said. */
  readonly column: string;
  readonly isOptional: boolean;
  readonly accepts: Accepts;
  /** Names that such a column has elsewhere, likeliest first; lower case. */
  readonly aliases: readonly string[];
}

/** Options that some layouts read by. */
export interface FormatOptions {
  /** SHP: rows whose scores differ by a smaller factor are left out; 0 keeps all. */
  readonly scoreRatioFloor: number;
}

/** What a row was read into. */
export type ReadRow =
  | ({ readonly kind: "pair" } & Omit<PairRow, "source">)
  | ({ readonly kind: "labelled" } & Omit<LabelledRow, "source">)
  | { readonly kind: "prompt"; readonly prompt: Text };

/** A row that cannot be read, caught where the row is reported. */
export class BadRow extends Error {
  override name = "BadRow";
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** A layout that data sets come in: what its columns are for, and how a row of it is read. */
export interface DataFormat {
  readonly id: string;
  readonly label: string;
  readonly kind: DataKind;
  readonly roles: readonly Role[];
  /** Another layout reads the same columns otherwise, so a person has to choose. */
  readonly needsChoice?: true;
  /** Id of the layout whose columns these are too; the values tell this one. */
  readonly narrows?: string;
  /** Whether values of a row whose columns fit are this layout's; true where it is left out. */
  readonly recognises?: (cells: Cells) => boolean;
  /** Reads a row that has all columns that are not optional; throws `BadRow`. */
  readonly readRow: (cells: Cells, options: FormatOptions) => ReadRow;
}

/** A role; `aliases` are other names of its column. */
export function role(
  id: string,
  accepts: Accepts,
  {
    column = id,
    isOptional = false,
    aliases = [],
  }: Partial<Pick<Role, "column" | "isOptional" | "aliases">> = {},
): Role {
  return { id, column, isOptional, accepts, aliases };
}
