/** The rows of the loaded set, asked for page by page as they come into view. */
import { create } from "zustand";
import type { DataRow, RowQuery } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";

/** Rows that are asked for at a time. */
const pageRows = 50;

/** What is looked for; where in the list is told apart from it. */
export type RowFilter = Omit<RowQuery, "from" | "count">;

/** Every row in the order of the set. */
export const everyRow: RowFilter = {
  search: "",
  split: "all",
  flag: null,
  sortBy: "row",
  isDescending: false,
};

interface RowsState {
  readonly filter: RowFilter;
  /** How many rows the filter finds; null before that is known. */
  readonly matches: number | null;
  /** Rows by their place in the list. */
  readonly rows: ReadonlyMap<number, DataRow>;
  readonly refusal: string | null;
}

/** The list of rows. */
export const useRowsStore = create<RowsState>(() => ({
  filter: everyRow,
  matches: null,
  rows: new Map(),
  refusal: null,
}));

let turn = 0;
let asked = new Set<number>();

/** Looks for other rows; the list starts at its beginning. */
export function filterRows(change: Partial<RowFilter>): void {
  const { filter } = useRowsStore.getState();
  dropRows({ ...filter, ...change });
  needRows(0, 0);
}

/** Asks again for what comes into view, as after a change to the set; rows stay until new ones come. */
export function refreshRows(): void {
  turn += 1;
  asked = new Set();
}

/** Drops every row and the filter, as after another set was loaded. */
export function forgetRows(): void {
  dropRows(everyRow);
}

function dropRows(filter: RowFilter): void {
  refreshRows();
  useRowsStore.setState({ filter, matches: null, rows: new Map(), refusal: null });
}

/** Sees to it that the rows from `first` to `last` of the list come. */
export function needRows(first: number, last: number): void {
  for (let page = Math.floor(first / pageRows); page <= Math.floor(last / pageRows); page += 1) {
    if (asked.has(page)) continue;
    asked.add(page);
    void askPage(page);
  }
}

async function askPage(page: number): Promise<void> {
  const own = turn;
  const from = page * pageRows;
  const { filter } = useRowsStore.getState();
  try {
    const { rows, matches } = await callTrainer("dataRows", { ...filter, from, count: pageRows });
    if (own !== turn) return;
    const known = new Map(useRowsStore.getState().rows);
    rows.forEach((row, index) => known.set(from + index, row));
    useRowsStore.setState({ rows: known, matches, refusal: null });
  } catch (error) {
    if (own !== turn) return;
    asked.delete(page);
    useRowsStore.setState({ refusal: sentenceOf(error) });
  }
}
