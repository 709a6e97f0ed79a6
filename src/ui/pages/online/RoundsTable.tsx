import type { OnlineEvaluation, RoundRecord } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatChange, formatCount, formatShare, formatValue } from "../../format.ts";
import { regeneratedShare, secondsOf } from "./roundCosts.ts";
import { droppedByReason, gapsOf } from "./roundGaps.ts";

/** What the table is made of. */
interface RoundsTableProps {
  readonly rounds: readonly RoundRecord[];
  readonly evaluations: readonly OnlineEvaluation[];
}

const orDash = (value: number | null | undefined, format: (value: number) => string) =>
  value === null || value === undefined ? "–" : format(value);

/** Columns with the number of a round that each shows. */
const columns: readonly {
  readonly name: string;
  readonly of: (record: RoundRecord, after: OnlineEvaluation | undefined) => string;
}[] = [
  { name: "from step", of: ({ step }) => formatCount(step) },
  { name: "drawn anew", of: (record) => formatShare(regeneratedShare(record)) },
  { name: "pairs", of: (record) => formatCount(gapsOf(record).length) },
  {
    name: "no new pair",
    of: (record) => formatCount(droppedByReason(record).reduce((sum, { prompts }) => sum + prompts, 0)),
  },
  { name: "mean score", of: ({ metrics }) => orDash(metrics["judge/score"], formatValue) },
  { name: "best − worst", of: ({ metrics }) => orDash(metrics["judge/score_margin"], formatValue) },
  { name: "gain by drawing anew", of: ({ metrics }) => orDash(metrics["online/score_gain"], formatChange) },
  { name: "mean weight", of: ({ metrics }) => orDash(metrics["weights/mean"], formatValue) },
  { name: "effective pairs", of: ({ metrics }) => orDash(metrics["weights/ess"], formatValue) },
  { name: "tokens drawn", of: ({ generatedTokens }) => formatCount(generatedTokens) },
  { name: "tokens saved", of: ({ savedTokens }) => formatCount(savedTokens) },
  { name: "seconds", of: (record) => formatValue(secondsOf(record)) },
  { name: "held-out after", of: (_, after) => orDash(after?.heldout?.mean, formatValue) },
  { name: "proxy after", of: (_, after) => orDash(after?.proxy?.mean, formatValue) },
  { name: "win rate after", of: (_, after) => orDash(after?.winRate?.share, formatShare) },
];

/** One row for each round. */
export function RoundsTable({ rounds, evaluations }: RoundsTableProps) {
  return (
    <Panel title="Rounds" className="rounds-table">
      <div className="table-box" tabIndex={0} role="region" aria-label="Rounds as a table">
        <table className="data-table" data-testid="rounds-table">
          <thead>
            <tr>
              <th scope="col">round</th>
              {columns.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rounds.map((record) => (
              <tr key={record.round}>
                <th scope="row">
                  {record.round + 1}
                  {!record.isOver && " (under way)"}
                </th>
                {columns.map(({ name, of }) => (
                  <td key={name}>
                    {of(
                      record,
                      evaluations.find((evaluation) => evaluation.rounds === record.round + 1),
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
