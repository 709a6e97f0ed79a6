/** What a forward pass runs over: a flat batch without batch axis and padding, and which of its rows see which. */
import type { Tensor } from "../tensor/tfjs.ts";

/** Rows of a flat batch; the tables are int32. */
export interface Rows {
  /** [rows] */
  readonly tokenIds: Tensor;
  /** [rows] position within the row's own sequence */
  readonly positions: Tensor;
  readonly attention: RowAttention;
}

/** How far back a layer's rows see: a number of positions, or null for the whole sequence. */
export type Window = number | null;

/** Rows see rows of their own batch, or tokens run earlier; tables differ by the windows of the model's layers. */
export type RowAttention =
  | { readonly kind: "causal"; readonly tables: ReadonlyMap<Window, CausalTables> }
  | {
      readonly kind: "cached";
      readonly cache: KeyValueCache;
      /** [rows] where each row is stored in the cache */
      readonly slots: Tensor;
      /** [rows, 2] the cache rows that each row sees, once it is stored */
      readonly keyRanges: ReadonlyMap<Window, Tensor>;
    };

/** Lists of ranges [first, end), see `causalRanges`. */
export interface CausalTables {
  /** [rows, 2 · lists]: the rows that a row sees */
  readonly keyRanges: Tensor;
  /** [rows, 2 · lists]: the rows that see a row */
  readonly queryRanges: Tensor;
}

/** Keys and values of earlier tokens, per layer [capacity, keyValueHeads · headDim] each. */
export type KeyValueCache = readonly { readonly keys: Tensor; readonly values: Tensor }[];

/** The rows whose next token is scored. */
export interface ScoredRows {
  /** [entries] */
  readonly rows: Tensor;
  /** [rows, 2] entries of this row; −1 where there is none */
  readonly inverse: Tensor;
}

/** The table of a layer's window; throws when the batch was made for a model without such a window. */
export function tableOf<Table>(tables: ReadonlyMap<Window, Table>, window: Window): Table {
  const table = tables.get(window);
  if (table === undefined)
    throw new Error(`The batch has no table for a window of ${window ?? "any length"}.`);
  return table;
}
