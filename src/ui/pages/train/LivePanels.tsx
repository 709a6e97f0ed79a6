import { useMemo, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { pointAtPair } from "../../../state/pointedPair.ts";
import { history, useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useViewStore } from "../../../state/viewStore.ts";
import { hasSeries } from "../../charts/chartSeries.ts";
import type { ChartSpec } from "../../charts/chartTypes.ts";
import { charts } from "../../charts/index.ts";
import { RunChart } from "../../charts/RunChart.tsx";
import { formatValue } from "../../format.ts";
import { plotTabs } from "../../text.ts";
import { PairMap } from "./PairMap.tsx";
import { SamplesPanel } from "./SamplesPanel.tsx";
import { sparkline } from "./sparkline.ts";
import { useRedraw } from "./useRedraw.ts";

/** Charts beside the Pair Map, and those that always stand below it; the last place is of choice. */
const mainCharts = ["rewards", "logps"];
const lowerCharts = ["kl", "entropy"];

/** The probe pairs of the run on the map. */
export function PairMapPanel() {
  const version = useRedraw(0);
  const config = useSetupStore((state) => state.runningConfig ?? state.config);
  const objective = useSetupStore(({ description }) =>
    description?.objectives.find(({ id }) => id === config.method),
  );
  const selected = useViewStore((state) => state.selectedPair);
  const heldout = useSetupStore((state) => state.data?.heldoutPairs ?? 0);
  const untouched = Math.min(config.evalPairs, heldout);
  const { points, trail } = useMemo(() => readPoints(version, untouched), [version, untouched]);
  return (
    <PairMap
      points={points}
      trail={trail}
      beta={config.params["beta"] ?? 1}
      axesFrom={objective?.needs.includes("referenceLogps") === true ? "reference" : "step-0"}
      selected={selected}
      onPoint={pointAtPair}
      onSelect={(selectedPair: number | null) => {
        useViewStore.setState({ selectedPair });
      }}
    />
  );
}

/**
 * The probe points as they are at a version of the history. Before the first run the model is its own
 * reference, so every pair lies at 0.
 */
function readPoints(_version: number, untouched: number) {
  const { points, trail, runId } = useRunStore.getState();
  if (points !== null || runId !== null || untouched === 0) return { points, trail };
  const pairIndex = Int32Array.from({ length: untouched }, (_, index) => index);
  const zeros = new Float32Array(untouched);
  return { points: { pairIndex, chosenDelta: zeros, rejectedDelta: zeros }, trail };
}

/** Margin with rewards, and log-probs. */
export function MainChartsPanel() {
  return (
    <div className="chart-stack">
      {specsOf(mainCharts).map((chart, index) => (
        <Tile key={chart.id} chart={chart} turn={index + 1} height={136} />
      ))}
    </div>
  );
}

/** Distance, entropy, one tile of choice, and the closed tiles it is chosen from. */
export function MoreChartsPanel() {
  const version = useRedraw(6);
  const others = useMemo(() => offeredBeside(version), [version]);
  const [wantedId, setOpenId] = useState("");
  // The tile of choice may be one that the next run does not have.
  const openId = (others.find(({ id }) => id === wantedId) ?? others[0])?.id ?? "";
  const open = specsOf([...lowerCharts, openId]);
  return (
    <>
      <div className="chart-row">
        {open.map((chart, index) => (
          <Tile key={chart.id} chart={chart} turn={index + 3} height={100} />
        ))}
      </div>
      <div className="closed-tiles" role="group" aria-label="More plots">
        {others
          .filter(({ id }) => id !== openId)
          .map((chart) => (
            <ClosedTile key={chart.id} chart={chart} onOpen={() => setOpenId(chart.id)} />
          ))}
      </div>
    </>
  );
}

/** The plots to choose from as they are at a version of the history. */
function offeredBeside(_version: number): readonly ChartSpec[] {
  return charts.filter(
    (chart) =>
      ![...mainCharts, ...lowerCharts].includes(chart.id) &&
      (chart.isOfMethod !== true || hasSeries(chart, history)),
  );
}

/** A plot that is not drawn: its value, its trend, and the way to open it. */
function ClosedTile({ chart, onOpen }: { readonly chart: ChartSpec; readonly onOpen: () => void }) {
  const version = useRedraw(6);
  const name = chart.views[0].series[0]?.name ?? "";
  const values = useMemo(() => readValues(name, version), [name, version]);
  const last = values.at(-1);
  return (
    <button type="button" className="closed-tile" onClick={onOpen}>
      <span>{chart.title}</span>
      <strong>{last === undefined ? "–" : formatValue(last)}</strong>
      <span className="sparkline" aria-hidden="true">
        {sparkline(values)}
      </span>
    </button>
  );
}

/** A metric's drawn values as they are at a version of the history: of the steps, or of the evaluations where steps have none. */
function readValues(name: string, _version: number): readonly number[] {
  const { values, evalValues } = history.metricSeries(name);
  return values.length > 0 ? values : evalValues;
}

/** One chart at a time, chosen by tabs, as a phone shows them. */
export function ChartTabsPanel() {
  const [selected, setSelected] = useState(charts[0]?.id ?? "");
  const version = useRedraw(0);
  const offered = useMemo(() => measuredCharts(version), [version]);
  const open = offered.find(({ id }) => id === selected) ?? offered[0];
  if (open === undefined) return null;
  return (
    <div className="chart-tabs">
      <div className="tab-list" role="tablist" aria-label="Plots">
        {offered.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={id === open.id}
            className="tab"
            onClick={() => setSelected(id)}
          >
            {plotTabs[id] ?? title}
          </button>
        ))}
      </div>
      <Tile key={open.id} chart={open} turn={1} height={200} />
    </div>
  );
}

/** The plots of a run as they are at a version of the history; before its first step, those of every run. */
function measuredCharts(_version: number): readonly ChartSpec[] {
  return charts.filter(
    (chart) => hasSeries(chart, history) || (history.steps.length === 0 && chart.isOfMethod !== true),
  );
}

interface TileProps {
  readonly chart: ChartSpec;
  /** Place in the order in which the plots of the page are drawn. */
  readonly turn: number;
  readonly height: number;
}

/** One chart of the run, drawn at the page's pace. */
function Tile({ chart, turn, height }: TileProps) {
  const version = useRedraw(turn);
  const { axis, scale, smoothing, hoveredX, zoom } = useViewStore(
    useShallow((state) => ({
      axis: state.axis,
      scale: state.scale,
      smoothing: state.smoothing,
      hoveredX: state.hoveredX,
      zoom: state.zoom,
    })),
  );
  const marks = useRunStore((state) => state.marks);
  return (
    <RunChart
      chart={chart}
      history={history}
      version={version}
      axis={axis}
      scale={scale}
      smoothing={smoothing}
      hoveredX={hoveredX}
      onHoverX={hover}
      zoom={zoom}
      onZoom={zoomTo}
      marks={marks}
      height={height}
    />
  );
}

function hover(hoveredX: number | null): void {
  useViewStore.setState({ hoveredX });
}

function zoomTo(zoom: readonly [number, number] | null): void {
  useViewStore.setState({ zoom });
}

function specsOf(ids: readonly string[]): ChartSpec[] {
  return charts.filter(({ id }) => ids.includes(id));
}

/** The same prompts before, now and at their best. */
export function LiveSamplesPanel() {
  const { before, now, best, phase } = useRunStore(
    useShallow((state) => ({ before: state.before, now: state.now, best: state.best, phase: state.phase })),
  );
  const data = useSetupStore((state) => state.data);
  return (
    <SamplesPanel before={before} now={now} best={best} phase={phase} prompts={data?.promptChips ?? []} />
  );
}
