import { useElementSize } from "@mantine/hooks";
import { useId, useMemo, useState } from "react";
import "./charts.css";
import { ChartCrosshair } from "./ChartCrosshair.tsx";
import { ChartHeading } from "./ChartHeading.tsx";
import { ChartIntervals } from "./ChartIntervals.tsx";
import { ChartLabels, gutterFor } from "./ChartLabels.tsx";
import { ChartPlot } from "./ChartPlot.tsx";
import { ChartTable } from "./ChartTable.tsx";
import { useChartSettings } from "./useChartSettings.ts";
import type { ChartMark, ChartGuide, ChartScale, MetricChartProps } from "./chartTypes.ts";
import { ChartNotes, ChartUnderlay } from "./ChartUnderlay.tsx";
import { fitPlaces, fitValues, type Range } from "./domains.ts";
import { drawnLine, type DrawnLine } from "./drawnSeries.ts";
import { plotGeometry, type PlotGeometry } from "./plotGeometry.ts";
import { summarise, tableRows } from "./summary.ts";

const noMarks: readonly ChartMark[] = [];
const noGuides: readonly ChartGuide[] = [];

/** Least length of the axis, so that the first steps do not stretch over the whole width. */
const shortestAxis = 10;

/** A line chart of one run: heading, plot with crosshair, table, and a sentence for screen readers. */
export function MetricChart(props: MetricChartProps) {
  const { title, subtitle, series, xLabel, callout, views } = props;
  const settings = useChartSettings(props);
  const [isTable, setIsTable] = useState(false);
  const summaryId = useId();
  const summary = useMemo(() => summarise(title, series, xLabel), [title, series, xLabel]);
  const isEmpty = series.every(({ points, evalPoints = [] }) => points.length + evalPoints.length === 0);
  return (
    <section className="panel chart" aria-label={title}>
      <ChartHeading
        {...{ title, subtitle, series, xLabel, settings, isTable, isEmpty }}
        views={views ?? null}
        onTable={setIsTable}
      />
      {callout !== undefined && (
        // Its place is kept, so that the chart does not jump when there is something to say.
        <p className="chart-callout" data-empty={callout === null}>
          {callout}
        </p>
      )}
      {isTable && !isEmpty ? (
        <ChartTable title={title} xLabel={xLabel} rows={tableRows(series)} />
      ) : (
        <Plot {...props} {...settings} summaryId={summaryId} isEmpty={isEmpty} />
      )}
      <p className="chart-spoken" id={summaryId}>
        {props.summary ?? summary}
      </p>
    </section>
  );
}

type PlotProps = Omit<MetricChartProps, "scale"> & {
  readonly scale: ChartScale;
  readonly summaryId: string;
  readonly isEmpty: boolean;
};

function Plot(props: PlotProps) {
  const { title, series, xLabel, smoothing, hoveredX, onHoverX, summaryId, isEmpty, height = 176 } = props;
  const { leastPlaces } = props;
  const { ref, width } = useElementSize();
  const [ownZoom, setOwnZoom] = useState<Range | null>(null);
  const zoom = props.zoom === undefined ? ownZoom : props.zoom;
  const onZoom = props.onZoom ?? setOwnZoom;
  const lines = useMemo(() => series.map((line) => drawnLine(line, smoothing)), [series, smoothing]);
  const everything = useMemo(() => placesOf(lines, leastPlaces), [lines, leastPlaces]);
  const geometry = useGeometry(props, { lines, width, height, places: zoom ?? everything });
  const notes = { geometry, guides: props.guides ?? noGuides, marks: props.marks ?? noMarks };
  return (
    <div className="chart-plot" ref={ref} style={{ height }}>
      {isEmpty && <EmptyPlot text={props.emptyText ?? "Appears after step 1."} />}
      {width > 0 && !isEmpty && (
        <>
          <ChartUnderlay {...notes} />
          <ChartIntervals lines={lines} geometry={geometry} />
          <ChartPlot lines={lines} geometry={geometry} />
          <ChartNotes {...notes} />
          <ChartLabels lines={lines} geometry={geometry} hoveredX={hoveredX} />
          <ChartCrosshair
            {...{ title, summaryId, xLabel, lines, geometry, everything, hoveredX, onHoverX, onZoom }}
          />
          {zoom !== null && (
            <button type="button" className="chart-follow" onClick={() => onZoom(null)}>
              Show all
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** Axes without numbers, because nothing was measured. */
function EmptyPlot({ text }: { readonly text: string }) {
  return (
    <div className="chart-empty">
      <p>{text}</p>
    </div>
  );
}

interface Layout {
  readonly lines: readonly DrawnLine[];
  readonly width: number;
  readonly height: number;
  readonly places: Range;
}

function useGeometry({ scale, fixedRange, guides }: PlotProps, layout: Layout): PlotGeometry {
  const { lines, width, height, places } = layout;
  return useMemo(() => {
    const guidePoints = (guides ?? noGuides).map(({ y }) => ({ x: places[0], y }));
    const fitted = fitValues([...allPoints(lines), guidePoints], places, scale);
    const isFixed = fixedRange !== undefined && scale !== "log";
    return plotGeometry({
      width,
      height,
      gutter: gutterFor(lines),
      places,
      values: isFixed ? fixedRange : (fitted ?? [-1, 1]),
      scale,
    });
  }, [lines, width, height, places, scale, fixedRange, guides]);
}

/** Everything there is to see of some lines. */
function placesOf(lines: readonly DrawnLine[], least: Range | undefined): Range {
  if (least === undefined) return fitPlaces(allPoints(lines), shortestAxis);
  const [first, last] = fitPlaces(allPoints(lines), 0);
  return [Math.min(first, least[0]), Math.max(last, least[1])];
}

function allPoints(lines: readonly DrawnLine[]) {
  return lines.flatMap(({ rawPoints, smoothPoints, evalPoints, intervals }) => [
    rawPoints,
    smoothPoints,
    evalPoints,
    intervals.flatMap(({ x, low, high }) => [
      { x, y: low },
      { x, y: high },
    ]),
  ]);
}
