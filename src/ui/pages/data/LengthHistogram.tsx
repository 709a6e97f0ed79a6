import { useState } from "react";
import type { DataHealth } from "../../../worker/protocol.ts";
import { Histogram } from "../../charts/Histogram.tsx";
import { Panel } from "../../components/Panel.tsx";
import { TableToggle } from "../../components/TableToggle.tsx";
import { formatCount, formatShare } from "../../format.ts";

/** How long the answers are, and whether the chosen ones are longer. */
export function LengthHistogram({ health }: { readonly health: DataHealth }) {
  const [isTable, setIsTable] = useState(false);
  const { lengths, longerChosenShare } = health;
  return (
    <Panel
      title="Lengths in tokens"
      aside={<TableToggle label="Lengths as a table" isTable={isTable} onChange={setIsTable} />}
    >
      {isTable ? (
        <Ranges lengths={lengths} />
      ) : (
        <Histogram
          edges={lengths.edges}
          before={lengths.rejected}
          after={lengths.chosen}
          marker={null}
          height={180}
        />
      )}
      <p className="plot-legend">
        <span>
          <i className="key-line" /> chosen
        </span>
        <span>
          <i className="key-bar" /> rejected
        </span>
      </p>
      <p className="note" data-testid="longer-chosen">
        {`The chosen answer is the longer one in ${formatShare(longerChosenShare)} of the pairs.`}
      </p>
    </Panel>
  );
}

function Ranges({ lengths: { edges, chosen, rejected } }: { readonly lengths: DataHealth["lengths"] }) {
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label="Lengths by range">
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">tokens</th>
            <th scope="col">chosen</th>
            <th scope="col">rejected</th>
          </tr>
        </thead>
        <tbody>
          {Array.from(chosen, (count, bin) => (
            <tr key={edges[bin]}>
              <th scope="row">
                {formatCount(edges[bin] ?? 0)} to {formatCount(edges[bin + 1] ?? 0)}
              </th>
              <td>{formatCount(count)}</td>
              <td>{formatCount(rejected[bin] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
