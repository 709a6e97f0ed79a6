import { useState } from "react";
import { formatValue } from "../format.ts";
import type { ChartRow, ChartRows } from "./summary.ts";

/** Rows that the table shows. */
const shownRows = 50;

/** What the table is made of. */
export interface ChartTableProps {
  readonly title: string;
  readonly xLabel: string;
  readonly rows: ChartRows;
}

interface Order {
  /** Column to sort by; −1 is the place. */
  readonly column: number;
  readonly isDescending: boolean;
}

/** The newest rows of a chart as a sortable table. */
export function ChartTable({ title, xLabel, rows: { columns, rows } }: ChartTableProps) {
  const [order, setOrder] = useState<Order>({ column: -1, isDescending: true });
  const shown = rows.slice(-shownRows).sort((a, b) => compare(a, b, order));
  const heading = (column: number, name: string) => (
    <th
      key={name}
      scope="col"
      aria-sort={column !== order.column ? "none" : order.isDescending ? "descending" : "ascending"}
    >
      <button
        type="button"
        className="chart-sort"
        onClick={() =>
          setOrder({ column, isDescending: column === order.column ? !order.isDescending : true })
        }
      >
        {name}
        <span aria-hidden="true">{column !== order.column ? "" : order.isDescending ? " ↓" : " ↑"}</span>
      </button>
    </th>
  );
  return (
    <div className="chart-table" role="region" aria-label={`${title} as a table`} tabIndex={0}>
      <table>
        <caption>
          {rows.length > shownRows ? `Newest ${shownRows} of ${rows.length} rows` : `${rows.length} rows`},
          raw values
        </caption>
        <thead>
          <tr>
            {heading(-1, xLabel)}
            {columns.map((name, column) => heading(column, name))}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ x, values }) => (
            <tr key={x}>
              <th scope="row">{formatValue(x)}</th>
              {values.map((value, column) => (
                <td key={columns[column]}>{value === null ? "–" : formatValue(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function compare(left: ChartRow, right: ChartRow, { column, isDescending }: Order): number {
  const keyOf = ({ x, values }: ChartRow) => (column === -1 ? x : values[column]);
  const [a, b] = [keyOf(left), keyOf(right)];
  // Rows without a value come last in both orders.
  if (!Number.isFinite(a) || !Number.isFinite(b))
    return Number(Number.isFinite(b)) - Number(Number.isFinite(a));
  return ((a ?? 0) - (b ?? 0)) * (isDescending ? -1 : 1);
}
