import { useMemo, useState } from "react";
import type { FeatureDetail, FeatureUse } from "../../../worker/protocol.ts";
import { mostPoints, ScatterPlot, thinned, type ScatterPoint } from "../../charts/ScatterPlot.tsx";
import { TableToggle } from "../../components/TableToggle.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatCount, formatValue } from "../../format.ts";

/** Mean activation over a pair’s chosen answer against that over its rejected one. */
export function FeatureSides({ detail: { before, after } }: { readonly detail: FeatureDetail }) {
  const [isTable, setIsTable] = useState(false);
  const points = useMemo(() => pointsOf(before), [before]);
  const later = useMemo(() => (after === null ? null : pointsOf(after)), [after]);
  const above = points.filter(({ x, y }) => x > y).length;
  const below = points.filter(({ x, y }) => y > x).length;
  const rest = Math.max(points.length - mostPoints, 0);
  return (
    <Panel
      title="Chosen against rejected"
      aside={<TableToggle label="Pairs as a table" isTable={isTable} onChange={setIsTable} />}
    >
      {isTable ? (
        <Pairs points={points} />
      ) : (
        <ScatterPlot
          guide="equal"
          xLabel="chosen"
          yLabel="rejected"
          groups={[
            { label: "before", color: "reference", shape: "circle", points: thinned(points) },
            ...(later === null
              ? []
              : [{ label: "after", color: "chosen", shape: "diamond", points: thinned(later) } as const]),
          ]}
        />
      )}
      <p className="note">
        Stronger on the chosen answer in {pairs(above)}, on the rejected one in {pairs(below)}, equal in{" "}
        {pairs(points.length - above - below)}.{rest > 0 && !isTable && ` ${pairs(rest)} not drawn.`}
      </p>
      {later !== null && !isTable && (
        <p className="plot-legend">
          <span>
            <i className="key-dot" /> before
          </span>
          <span>
            <i className="key-diamond" /> after
          </span>
        </p>
      )}
    </Panel>
  );
}

function pairs(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "pair" : "pairs"}`;
}

function pointsOf({ chosen, rejected }: FeatureUse): ScatterPoint[] {
  return Array.from(chosen, (x, id) => ({ id, x, y: rejected[id] ?? 0 }));
}

/** Rows of the table, those with the largest gap first. */
const tableRows = 50;

function Pairs({ points }: { readonly points: readonly ScatterPoint[] }) {
  const rows = points
    .toSorted((left, right) => Math.abs(right.x - right.y) - Math.abs(left.x - left.y))
    .slice(0, tableRows);
  return (
    <div className="table-box feature-table-box" tabIndex={0} role="region" aria-label="Pairs by their gap">
      <table className="feature-table">
        <thead>
          <tr>
            <th scope="col">pair</th>
            <th scope="col">chosen</th>
            <th scope="col">rejected</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, x, y }) => (
            <tr key={id}>
              <td>{id}</td>
              <td>{formatValue(x)}</td>
              <td>{formatValue(y)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
