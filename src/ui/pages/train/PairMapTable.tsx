import { useState } from "react";
import { formatValue } from "../../format.ts";
import type { PairPoint } from "./PairMapGeometry.ts";

/** Rows that the table shows. */
const shownRows = 50;

const columns = [
  { key: "pairIndex", label: "Pair" },
  { key: "chosenDelta", label: "Δ chosen" },
  { key: "rejectedDelta", label: "Δ rejected" },
  { key: "margin", label: "Margin" },
] as const;

type Column = (typeof columns)[number]["key"];

/** What the table is made of. */
export interface PairMapTableProps {
  readonly pairs: readonly PairPoint[];
  readonly selected: number | null;
  readonly onSelect: (pairIndex: number | null) => void;
}

/** The pairs of the map as a sortable table; a row opens its pair. */
export function PairMapTable({ pairs, selected, onSelect }: PairMapTableProps) {
  const [column, setColumn] = useState<Column>("margin");
  const [isDescending, setIsDescending] = useState(false);
  const sorted = pairs.toSorted((a, b) => (a[column] - b[column]) * (isDescending ? -1 : 1));
  return (
    <div className="chart-table pairmap-table">
      <table>
        <caption>
          {pairs.length > shownRows ? `First ${shownRows} of ${pairs.length}` : pairs.length} held-out pairs,
          in nats
        </caption>
        <thead>
          <tr>
            {columns.map(({ key, label }) => (
              <th
                key={key}
                scope="col"
                aria-sort={key !== column ? "none" : isDescending ? "descending" : "ascending"}
              >
                <button
                  type="button"
                  className="chart-sort"
                  onClick={() => {
                    setColumn(key);
                    setIsDescending(key === column && !isDescending);
                  }}
                >
                  {label}
                  <span aria-hidden="true">{key !== column ? "" : isDescending ? " ↓" : " ↑"}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, shownRows).map((pair) => (
            <tr key={pair.pairIndex} data-selected={pair.pairIndex === selected}>
              <th scope="row">
                <button
                  type="button"
                  className="chart-sort"
                  aria-pressed={pair.pairIndex === selected}
                  onClick={() => onSelect(pair.pairIndex === selected ? null : pair.pairIndex)}
                >
                  {pair.pairIndex + 1}
                </button>
              </th>
              <td>{formatValue(pair.chosenDelta)}</td>
              <td>{formatValue(pair.rejectedDelta)}</td>
              <td>{formatValue(pair.margin)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
