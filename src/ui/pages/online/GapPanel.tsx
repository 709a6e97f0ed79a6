import { useMemo, useState } from "react";
import type { RunConfig } from "../../../engine/training/config.ts";
import type { RoundRecord } from "../../../worker/protocol.ts";
import { Histogram } from "../../charts/Histogram.tsx";
import { Panel } from "../../components/Panel.tsx";
import { TableToggle } from "../../components/TableToggle.tsx";
import { formatCount, formatSetting, formatShare, formatValue } from "../../format.ts";
import { RoundChoice, chosenRound } from "./RoundChoice.tsx";
import { droppedByReason, gapBins, gapsOf, weightFigures, weightingOf } from "./roundGaps.ts";

/** What the panel is made of. */
interface GapPanelProps {
  readonly rounds: readonly RoundRecord[];
  readonly config: RunConfig;
}

/** How far apart the judges score the answers of a round's pairs, what that makes them weigh, and what dropped out. */
export function GapPanel({ rounds, config }: GapPanelProps) {
  const [round, setRound] = useState<number | null>(null);
  const [isTable, setIsTable] = useState(false);
  const record = chosenRound(rounds, round);
  const view = useMemo(() => (record === null ? null : gapView(record, config)), [record, config]);
  if (record === null || view === null) return null;
  const { bins, curve, weighting } = view;
  return (
    <Panel
      title="Score gaps and weights"
      className="gap-panel"
      aside={
        <>
          <RoundChoice label="Round of the gaps" rounds={rounds} round={round} onChange={setRound} />
          <TableToggle label="Gaps as a table" isTable={isTable} onChange={setIsTable} />
        </>
      }
    >
      {isTable ? (
        <GapTable {...view} />
      ) : (
        <Histogram
          edges={bins.edges}
          before={bins.counts}
          after={null}
          marker={null}
          height={200}
          {...(curve === null ? {} : { curve })}
        />
      )}
      <p className="plot-legend">
        <span>
          <i className="key-bar" /> pairs by score gap
        </span>
        {weighting !== null && (
          <span>
            <i className="key-weight" /> {weighting.formula}, β₂ = {formatSetting(weighting.beta2)} (right
            axis)
          </span>
        )}
      </p>
      <p className="online-sentence" data-testid="gap-sentence">
        {view.sentence}
      </p>
      <p className="online-sentence" data-testid="dropped">
        {droppedSentence(record)}
      </p>
    </Panel>
  );
}

function gapView(record: RoundRecord, config: RunConfig) {
  const gaps = gapsOf(record);
  const bins = gapBins(gaps);
  const weighting = weightingOf(config);
  const curve =
    weighting === null
      ? null
      : Float32Array.from(bins.counts, (_, bin) =>
          weighting.weigh(((bins.edges[bin] ?? 0) + (bins.edges[bin + 1] ?? 0)) / 2),
        );
  const figures = weighting === null ? null : weightFigures(gaps.map(weighting.weigh));
  return { bins, curve, weighting, sentence: gapSentence(gaps, figures) };
}

function gapSentence(gaps: readonly number[], figures: ReturnType<typeof weightFigures>): string {
  if (gaps.length === 0) return "The round has no pairs.";
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const pairs = `${formatCount(gaps.length)} ${gaps.length === 1 ? "pair" : "pairs"}`;
  const start = `${pairs} with a mean gap of ${formatValue(mean)}.`;
  if (figures === null) return `${start} The method of this run weighs them all alike.`;
  const share = figures.effective / gaps.length;
  const remark = share < 0.5 ? " Few pairs carry the step: lower β₂." : "";
  return (
    `${start} Mean weight ${formatValue(figures.mean)}; they count like ${formatValue(figures.effective)} ` +
    `pairs of equal weight (${formatShare(share)}).${remark}`
  );
}

function droppedSentence(record: RoundRecord): string {
  const dropped = droppedByReason(record);
  if (dropped.length === 0) return "Every prompt that was drawn gave a pair.";
  const total = dropped.reduce((sum, { prompts }) => sum + prompts, 0);
  const reasons = dropped.map(({ reason, prompts }) => `${reason} ${formatCount(prompts)}`).join(", ");
  return `${formatCount(total)} of ${formatCount(record.prompts.length)} prompts gave no new pair: ${reasons}.`;
}

function GapTable({ bins, curve }: ReturnType<typeof gapView>) {
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label="Gaps by range">
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">gap</th>
            <th scope="col">pairs</th>
            {curve !== null && <th scope="col">weight in the middle</th>}
          </tr>
        </thead>
        <tbody>
          {Array.from(bins.counts, (count, bin) => (
            <tr key={bin}>
              <th scope="row">
                {formatValue(bins.edges[bin] ?? 0)} to {formatValue(bins.edges[bin + 1] ?? 0)}
              </th>
              <td>{formatCount(count)}</td>
              {curve !== null && <td>{formatValue(curve[bin] ?? 0)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
