import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { changeCsv } from "../../../state/changeCsv.ts";
import { nameOf } from "../../../state/featureNames.ts";
import { download } from "../../../state/download.ts";
import { changeReport } from "../../../state/features.ts";
import { goTo, openFeature } from "../../../state/navigation.ts";
import type { ChangeReport, FeatureChange } from "../../../worker/protocol.ts";
import { mostPoints, ScatterPlot, type ScatterGroup } from "../../charts/ScatterPlot.tsx";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatChange, formatCount, formatFineShare, formatValue } from "../../format.ts";
import { reportSentence } from "./changeSentence.ts";
import { HoldButton } from "./FeatureHeading.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { useFeatureNames } from "../../components/useFeatureLabel.ts";
import { useFeatureSources } from "./useFeatureSources.ts";

/** What the run changed inside the model, feature by feature. */
export function ChangeReportView() {
  const { sae, isTuned, isMoving } = useFeatureSources();
  const { answer, refusal, isAsking } = changeReport.useStore();
  if (sae === null) return null;
  if (!isTuned) return <TrainFirst />;
  const report = answer?.sae === sae.id ? answer : null;
  const refresh = () => void changeReport.ask({ sae: sae.id });
  return (
    <div className="change-view" data-testid="change-report" aria-busy={isAsking}>
      <Refusal title="The change could not be measured." reason={refusal} onRetry={refresh} />
      {report === null && refusal === null && (
        <p className="panel features-waiting">
          {isMoving
            ? "The report is made when the run is over or paused."
            : "Reading the held-out answers with both models…"}
        </p>
      )}
      {report !== null && <Report report={report} isAsking={isAsking} onRefresh={refresh} />}
    </div>
  );
}

function TrainFirst() {
  return (
    <div className="panel features-empty" data-testid="change-report">
      <h2>Train first</h2>
      <p>The report compares the untouched model with the tuned one, and no run has taken a step yet.</p>
      <div className="dialog-actions">
        <Button size="xs" onClick={() => goTo({ screen: "train" })}>
          Go to Train
        </Button>
      </div>
    </div>
  );
}

interface ReportProps {
  readonly report: ChangeReport;
  readonly isAsking: boolean;
  readonly onRefresh: () => void;
}

function Report({ report, isAsking, onRefresh }: ReportProps) {
  const names = useFeatureNames();
  const save = () =>
    download(`features-step-${report.step}.csv`, new Blob([changeCsv(report, names)], { type: "text/csv" }));
  return (
    <>
      <Panel
        title={`What the run changed, step ${report.step}`}
        aside={
          <span className="panel-actions">
            <Button size="compact-xs" variant="default" loading={isAsking} onClick={onRefresh}>
              Refresh
            </Button>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<Icon name="save" size={13} />}
              onClick={save}
            >
              CSV
            </Button>
          </span>
        }
      >
        <p className="change-sentence">{reportSentence(report)}</p>
        <p className="note">{fitSentence(report)}</p>
      </Panel>
      <ChangePlot report={report} />
      <ChangeTable report={report} />
    </>
  );
}

/** How the autoencoder itself fits before and after. */
function fitSentence({ l0, unexplained, silent, tested, changes }: ChangeReport): string {
  const parts = [`Active features at a token (L0) ${formatValue(l0.before)} → ${formatValue(l0.after)}`];
  if (unexplained !== null) {
    parts.push(`unexplained ${formatFineShare(unexplained.before)} → ${formatFineShare(unexplained.after)}`);
  }
  if (tested < changes.length) parts.push(`${formatCount(tested)} changed in enough pairs to be tested`);
  if (silent > 0) parts.push(`${formatCount(silent)} features were silent before and after`);
  return `${parts.join(" · ")}.`;
}

function ChangePlot({ report }: { readonly report: ChangeReport }) {
  const drawn = report.changes.slice(0, mostPoints);
  const rest = report.changes.length - drawn.length;
  const groups = useMemo(() => groupsOf(drawn), [drawn]);
  return (
    <Panel title="Change against activation before">
      <ScatterPlot
        guide="zero"
        xLabel="mean activation before"
        yLabel="change Δ"
        groups={groups}
        height={240}
        onPoint={openFeature}
      />
      <p className="plot-legend">
        <span>
          <i className="key-diamond" /> finding
        </span>
        <span>
          <i className="key-dot" /> may be chance
        </span>
        {rest > 0 && <span>{formatCount(rest)} more with smaller changes are not drawn</span>}
      </p>
    </Panel>
  );
}

function groupsOf(changes: readonly FeatureChange[]): ScatterGroup[] {
  const points = (isFinding: boolean) =>
    changes
      .filter((change) => change.isFinding === isFinding)
      .map(({ feature, before, after }) => ({ id: feature, x: before, y: after - before }));
  return [
    { label: "may be chance", color: "reference", shape: "circle", points: points(false) },
    { label: "finding", color: "chosen", shape: "diamond", points: points(true) },
  ];
}

/** Rows that are drawn at first, and how many more at a time. */
const rowsAtATime = 50;

function ChangeTable({ report }: { readonly report: ChangeReport }) {
  const [count, setCount] = useState(rowsAtATime);
  const left = report.changes.length - count;
  return (
    <Panel title="Features by how much they changed">
      <div className="table-box change-box" tabIndex={0} role="region" aria-label="Changed features">
        <table className="feature-table">
          <thead>
            <tr>
              {["feature", "before", "after", "change", "Δ chosen", "Δ rejected", "p", "finding", ""].map(
                (title) => (
                  <th key={title} scope="col">
                    {title === "" ? <span className="visually-hidden">hold still</span> : title}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {report.changes.slice(0, count).map((change) => (
              <ChangeRow key={change.feature} change={change} />
            ))}
          </tbody>
        </table>
      </div>
      {left > 0 && (
        <button type="button" className="link-button" onClick={() => setCount(count + rowsAtATime)}>
          Show {formatCount(Math.min(rowsAtATime, left))} more of {formatCount(report.changes.length)}
        </button>
      )}
    </Panel>
  );
}

function ChangeRow({ change }: { readonly change: FeatureChange }) {
  const names = useFeatureNames();
  const { feature, name, before, after, chosenChange, rejectedChange, pValue, isFinding } = change;
  return (
    <tr data-testid={`change-row-${feature}`}>
      <th scope="row">
        <button type="button" className="link-button" onClick={() => openFeature(feature)}>
          #{feature} {nameOf(names, feature, name)}
        </button>
      </th>
      <td>{formatValue(before)}</td>
      <td>{formatValue(after)}</td>
      <td>{formatChange(after - before)}</td>
      <td>{formatChange(chosenChange)}</td>
      <td>{formatChange(rejectedChange)}</td>
      <td>{formatValue(pValue)}</td>
      <td>{isFinding ? "● yes" : "–"}</td>
      <td>
        <HoldButton feature={feature} isShort />
      </td>
    </tr>
  );
}
