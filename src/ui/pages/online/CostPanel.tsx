import { useState } from "react";
import type { RoundRecord } from "../../../worker/protocol.ts";
import { BarKey, StackedBars, type BarPart } from "../../charts/StackedBars.tsx";
import { Panel } from "../../components/Panel.tsx";
import { TableToggle } from "../../components/TableToggle.tsx";
import { formatCount, formatValue } from "../../format.ts";
import { costSentence, secondsOf } from "./roundCosts.ts";

const stages = [
  { key: "generate", label: "generate", fill: "solid" },
  { key: "score", label: "score", fill: "hatched" },
  { key: "reference", label: "reference", fill: "dotted" },
  { key: "train", label: "train", fill: "ink" },
  { key: "evaluate", label: "evaluate (apart)", fill: "outline", isApart: true },
] as const;

/** Seconds of each round by stage, and what drawing fewer prompts saves. */
export function CostPanel({ rounds }: { readonly rounds: readonly RoundRecord[] }) {
  const [isTable, setIsTable] = useState(false);
  const parts: BarPart[] = stages.map(({ key, ...part }) => ({
    ...part,
    values: rounds.map(({ seconds }) => seconds[key]),
  }));
  return (
    <Panel
      title="Seconds by stage"
      className="cost-panel"
      aside={<TableToggle label="Seconds as a table" isTable={isTable} onChange={setIsTable} />}
    >
      {isTable ? (
        <SecondsTable rounds={rounds} />
      ) : (
        <StackedBars bars={rounds.map(({ round }) => String(round + 1))} parts={parts} />
      )}
      <p className="plot-legend">
        {stages.map(({ key, label, fill }) => (
          <span key={key}>
            <BarKey fill={fill} /> {label}
          </span>
        ))}
      </p>
      <p className="online-sentence" data-testid="cost-sentence">
        {costSentence(rounds)}
      </p>
    </Panel>
  );
}

function SecondsTable({ rounds }: { readonly rounds: readonly RoundRecord[] }) {
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label="Seconds by stage">
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">round</th>
            {stages.map(({ key, label }) => (
              <th key={key} scope="col">
                {label}
              </th>
            ))}
            <th scope="col">sum without evaluation</th>
            <th scope="col">tokens drawn</th>
            <th scope="col">tokens saved</th>
          </tr>
        </thead>
        <tbody>
          {rounds.map((record) => (
            <tr key={record.round}>
              <th scope="row">{record.round + 1}</th>
              {stages.map(({ key }) => (
                <td key={key}>{formatValue(record.seconds[key])}</td>
              ))}
              <td>{formatValue(secondsOf(record))}</td>
              <td>{formatCount(record.generatedTokens)}</td>
              <td>{formatCount(record.savedTokens)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
