import { ScatterPlot } from "../../charts/ScatterPlot.tsx";
import { formatCount, formatShare } from "../../format.ts";
import type { RewardModelQuality } from "../../../worker/protocol.ts";

/** How often a reward model is right where it says how sure it is; on the dashed line both agree. */
export function CalibrationPlot({
  quality: { calibration },
  label,
}: {
  readonly quality: RewardModelQuality;
  readonly label: string;
}) {
  if (calibration.length === 0) return null;
  return (
    <div className="calibration">
      <ScatterPlot
        groups={[
          {
            label: "held-out pairs",
            color: "chosen",
            shape: "circle",
            points: calibration.map(({ stated, observed }, id) => ({ id, x: stated, y: observed })),
          },
        ]}
        xLabel="how sure it says it is"
        yLabel="how often it is right"
        guide="equal"
        height={170}
      />
      <details>
        <summary>As a table</summary>
        <table className="judge-scores">
          <caption className="visually-hidden">Calibration of {label}</caption>
          <thead>
            <tr>
              <th scope="col">It says</th>
              <th scope="col">It is right</th>
              <th scope="col">Pairs</th>
            </tr>
          </thead>
          <tbody>
            {calibration.map(({ stated, observed, pairs }) => (
              <tr key={stated}>
                <th scope="row">{formatShare(stated)}</th>
                <td>{formatShare(observed)}</td>
                <td>{formatCount(pairs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}
