import { RowGrid } from "../../components/RowGrid.tsx";
import { PromptItem } from "./PromptItem.tsx";
import type { PromptRow } from "./promptRows.ts";

const columns = ["Row", "Prompt", "Before", "Now", "Score"] as const;

/** The prompts that are in view; the arrow keys go from row to row. */
export function PromptList({ rows }: { readonly rows: readonly PromptRow[] }) {
  return (
    <RowGrid
      label="Prompts of the round"
      columns={columns}
      widths="110px minmax(0, 1fr) minmax(0, 1.3fr) minmax(0, 1.3fr) 100px"
      count={rows.length}
      usualHeight={118}
      overscan={4}
      keyOf={(index) => rows[index]?.place ?? index}
      renderRow={(state) => {
        const row = rows[state.index];
        return row === undefined ? null : <PromptItem {...state} row={row} />;
      }}
    />
  );
}
