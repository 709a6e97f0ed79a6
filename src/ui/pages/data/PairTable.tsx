import { useCallback } from "react";
import { needRows, useRowsStore } from "../../../state/dataRows.ts";
import { RowGrid } from "../../components/RowGrid.tsx";
import { PairRow } from "./PairRow.tsx";
import { useLoadedData } from "./useLoadedData.ts";

const columns = ["Row", "Prompt", "Chosen", "Rejected", "Tokens, gap"] as const;

/** The pairs that are in view; the arrow keys go from row to row. */
export function PairTable({ matches }: { readonly matches: number }) {
  const { key } = useLoadedData();
  const rows = useRowsStore((state) => state.rows);
  // Another set asks for its rows anew.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const onView = useCallback((first: number, last: number) => needRows(first, last), [key]);
  return (
    <RowGrid
      label="Pairs"
      columns={columns}
      widths="84px minmax(0, 1fr) minmax(0, 1.2fr) minmax(0, 1.2fr) 150px"
      count={matches}
      usualHeight={74}
      overscan={6}
      onView={onView}
      renderRow={(state) => <PairRow {...state} row={rows.get(state.index) ?? null} />}
    />
  );
}
