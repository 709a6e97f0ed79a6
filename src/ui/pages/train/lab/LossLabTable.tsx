import type { ShownSurface } from "../../../../state/lossLab.ts";
import { formatValue } from "../../../format.ts";

/** Rows and columns of the table. */
const shownPlaces = 9;

/** The loss at a coarse grid of places, as a table. */
export function LossLabTable({ surface: { axis, losses } }: { readonly surface: ShownSurface }) {
  const { minimum, maximum, cells } = axis;
  const places = Array.from({ length: shownPlaces }, (_, index) =>
    Math.round((index * (cells - 1)) / (shownPlaces - 1)),
  );
  const valueAt = (cell: number) => minimum + ((maximum - minimum) * cell) / (cells - 1);
  return (
    // A table that scrolls in its own box must be reachable by keyboard.
    <div className="chart-table loss-lab-table" tabIndex={0} role="region" aria-label="Loss as a table">
      <table>
        <caption>Loss at Δ chosen (across) and Δ rejected (down)</caption>
        <thead>
          <tr>
            <th scope="col">rejected \ chosen</th>
            {places.map((column) => (
              <th key={column} scope="col">
                {formatValue(valueAt(column))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {places.toReversed().map((row) => (
            <tr key={row}>
              <th scope="row">{formatValue(valueAt(row))}</th>
              {places.map((column) => {
                const loss = losses[row * cells + column] ?? Number.NaN;
                return <td key={column}>{Number.isFinite(loss) ? formatValue(loss) : "–"}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
