/** The table of loaded pairs: searched, filtered and sorted here, so that only the rows in sight cross the wall. */
import type { SetHealth } from "../engine/data/health/checkSet.ts";
import { textOf } from "../engine/data/row.ts";
import { PatternError } from "../engine/search/patternProgram.ts";
import { textSearch } from "../engine/search/textSearch.ts";
import type { HealthCheck } from "../engine/data/steps/dataStep.ts";
import type { SetRow } from "../engine/data/steps/setRow.ts";
import type { HeldPair } from "./checkedData.ts";
import { refuse } from "./errorReport.ts";
import { inTurns } from "./inTurns.ts";
import type { DataRow, RowQuery } from "./protocol.ts";

/** Rows that are told at once, at most. */
const MOST_ROWS = 1000;
/** Rows between two turns of a search. */
const ROWS_PER_TURN = 64;

/** Rows by query. */
export interface RowTable {
  readonly find: (
    query: RowQuery,
  ) => Promise<{ readonly rows: readonly DataRow[]; readonly matches: number }>;
}

/** Opens the table of pairs whose health is known. What matched last is kept, so that turning a page searches nothing. */
export function createRowTable(
  pairs: readonly HeldPair[],
  { findings }: Pick<SetHealth, "findings">,
): RowTable {
  const flags = new Map<number, HealthCheck[]>();
  for (const { check, rows } of findings) {
    for (const place of rows) flags.set(place, [...(flags.get(place) ?? []), check]);
  }
  const flagsOf = ({ row }: HeldPair) => flags.get(row.place) ?? [];
  let last: { readonly key: string; readonly matches: readonly HeldPair[] } | null = null;
  return {
    find: async ({ from, count, ...query }) => {
      const key = JSON.stringify(query);
      if (last?.key !== key) {
        const { search, split, flag } = query;
        const wanted = pairs.filter(
          (held) =>
            (split === "all" || held.split === split) && (flag === null || flagsOf(held).includes(flag)),
        );
        const found = search === "" ? wanted : await inTurns(searched(wanted, searchOf(search)));
        last = { key, matches: sorted(found, query) };
      }
      const { matches } = last;
      const first = Math.max(0, from);
      const some = matches.slice(first, first + Math.min(Math.max(0, count), MOST_ROWS));
      return { rows: some.map((held) => dataRow(held, flagsOf(held))), matches: matches.length };
    },
  };
}

function searchOf(search: string): (text: string) => boolean {
  try {
    return textSearch(search);
  } catch (error) {
    if (error instanceof PatternError) return refuse("CFG-1", error.message);
    throw error;
  }
}

function* searched(
  pairs: readonly HeldPair[],
  holds: (text: string) => boolean,
): Generator<void, HeldPair[], void> {
  const found: HeldPair[] = [];
  for (const [index, held] of pairs.entries()) {
    if (index % ROWS_PER_TURN === 0) yield;
    const { prompt, chosen, rejected } = held.row;
    if ([prompt, chosen, rejected].some((text) => holds(textOf(text)))) found.push(held);
  }
  return found;
}

/** In the order that is asked for; rows without the number come last, equal ones in the order of the set. */
function sorted(
  pairs: readonly HeldPair[],
  { sortBy, isDescending }: Pick<RowQuery, "sortBy" | "isDescending">,
): readonly HeldPair[] {
  const sign = isDescending ? -1 : 1;
  const valueOf = ({ pair, row }: HeldPair): number | null => {
    switch (sortBy) {
      case "row":
        return row.place;
      case "gap":
        return pair.rewardGap ?? null;
      case "chosenTokens":
        return pair.chosen.length;
      case "rejectedTokens":
        return pair.rejected.length;
    }
  };
  return pairs
    .map((held) => ({ held, value: valueOf(held) }))
    .toSorted((one, other) => {
      if (one.value === null || other.value === null)
        return Number(one.value === null) - Number(other.value === null);
      return sign * (one.value - other.value) || one.held.row.place - other.held.row.place;
    })
    .map(({ held }) => held);
}

function dataRow({ split, pair, row }: HeldPair, flags: readonly HealthCheck[]): DataRow {
  return {
    row: row.place,
    split,
    prompt: textOf(row.prompt),
    chosen: textOf(row.chosen),
    rejected: textOf(row.rejected),
    chosenTokens: pair.chosen.length,
    rejectedTokens: pair.rejected.length,
    gap: pair.rewardGap ?? null,
    flags,
    source: sourceOf(row),
  };
}

function sourceOf({ source: { file, row }, madeBy }: SetRow): string {
  const read = `${file.slice(file.lastIndexOf("/") + 1)}, row ${row}`;
  return madeBy === "" ? read : `${read}: ${madeBy}`;
}
