import { useState } from "react";
import { useMarkStore } from "../../../state/features.ts";
import type { FeatureDetail } from "../../../worker/protocol.ts";
import { Histogram } from "../../charts/Histogram.tsx";
import { TableToggle } from "../../components/TableToggle.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatCount, formatFineShare, formatValue } from "../../format.ts";
import { shownToken } from "./ActivationTokens.tsx";

/** How strongly a feature is active where it is, before and after, with the token that was pointed at. */
export function FeatureHistogram({ detail }: { readonly detail: FeatureDetail }) {
  const [isTable, setIsTable] = useState(false);
  const { mark } = useMarkStore();
  const marked = mark?.feature === detail.feature ? mark : null;
  const { before, after, edges } = detail;
  return (
    <Panel
      title={after === null ? "Activations" : "Activations before and after"}
      aside={<TableToggle label="Activations as a table" isTable={isTable} onChange={setIsTable} />}
    >
      {isTable ? (
        <Bins detail={detail} />
      ) : (
        <Histogram
          edges={edges}
          before={before.counts}
          after={after?.counts ?? null}
          marker={marked?.activation ?? null}
        />
      )}
      <p className="note">{sentence(detail)}</p>
      <p className="plot-legend">
        <span>
          <i className="key-bar" /> before
        </span>
        {after !== null && (
          <span>
            <i className="key-line" /> after
          </span>
        )}
        {marked !== null && (
          <span data-testid="histogram-mark">
            <i className="key-mark" /> “{shownToken(marked.token)}” {formatValue(marked.activation)}
          </span>
        )}
      </p>
    </Panel>
  );
}

function sentence({ before, after, positions }: FeatureDetail): string {
  const was = `Active at ${formatFineShare(before.density)} of ${formatCount(positions)} positions`;
  return after === null ? `${was}.` : `${was} before, ${formatFineShare(after.density)} after the run.`;
}

function Bins({ detail: { edges, before, after } }: { readonly detail: FeatureDetail }) {
  return (
    <div className="table-box feature-table-box" tabIndex={0} role="region" aria-label="Activations by bin">
      <table className="feature-table">
        <thead>
          <tr>
            <th scope="col">from</th>
            <th scope="col">to</th>
            <th scope="col">before</th>
            {after !== null && <th scope="col">after</th>}
          </tr>
        </thead>
        <tbody>
          {Array.from(before.counts, (count, bin) => (
            <tr key={edges[bin]}>
              <td>{formatValue(edges[bin] ?? 0)}</td>
              <td>{formatValue(edges[bin + 1] ?? 0)}</td>
              <td>{formatCount(count)}</td>
              {after !== null && <td>{formatCount(after.counts[bin] ?? 0)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
