import { memo } from "react";
import type { SeriesPoint } from "../../../state/series.ts";
import { formatTick, niceTicks } from "../../charts/scales.ts";
import { histogram, isoMargins, mapPixel, type Corner, type PairPoint } from "./PairMapGeometry.ts";

/** Space around the square of the map, for axes and edge histograms. */
export const mapMargins = { left: 44, top: 30, right: 30, bottom: 40 } as const;

/** What the frame is drawn from. */
export interface PairMapFrameProps {
  readonly pairs: readonly PairPoint[];
  readonly range: number;
  readonly side: number;
}

const bins = 25;
/** Below this side, in pixels, words are fewer. */
const smallSide = 260;

/** What lies under the dots: tinted halves, axes, lines of equal margin, and a histogram at each edge. */
export const PairMapFrame = memo(function PairMapFrame({ pairs, range, side }: PairMapFrameProps) {
  const { left, top, right, bottom } = mapMargins;
  return (
    <svg className="chart-layer" width={left + side + right} height={top + side + bottom} aria-hidden="true">
      <g transform={`translate(${left} ${top})`}>
        <polygon className="pairmap-won" points={`0,${side} ${side},0 ${side},${side}`} />
        <polygon className="pairmap-lost" points={`0,${side} ${side},0 0,0`} />
        <IsoLines range={range} side={side} />
        <line className="pairmap-axis" x1={0} x2={side} y1={side / 2} y2={side / 2} />
        <line className="pairmap-axis" x1={side / 2} x2={side / 2} y1={0} y2={side} />
        <line className="pairmap-diagonal" x1={0} x2={side} y1={side} y2={0} />
        <MapAxes range={range} side={side} />
        <EdgeHistograms pairs={pairs} range={range} side={side} />
      </g>
    </svg>
  );
});

/** Border, ticks and names of the axes of a square map, from its upper left corner. */
export function MapAxes({ range, side }: Pick<PairMapFrameProps, "range" | "side">) {
  const ticks = niceTicks(-range, range, Math.max(2, Math.floor(side / 62)));
  const at = (value: number) => mapPixel(value, -value, range, side).x;
  return (
    <>
      <rect className="pairmap-border" width={side} height={side} />
      {ticks.map((tick) => (
        <g key={tick} className="pairmap-tick">
          <line x1={at(tick)} x2={at(tick)} y1={side} y2={side + 4} />
          <text x={at(tick)} y={side + 17} textAnchor="middle">
            {formatTick(tick, ticks)}
          </text>
          <line x1={-4} x2={0} y1={side - at(tick)} y2={side - at(tick)} />
          <text x={-8} y={side - at(tick) + 4} textAnchor="end">
            {formatTick(tick, ticks)}
          </text>
        </g>
      ))}
      <text className="pairmap-axis-name" x={side / 2} y={side + 35} textAnchor="middle">
        Δ log p of chosen →
      </text>
      <text
        className="pairmap-axis-name"
        transform={`translate(${-34} ${side / 2}) rotate(-90)`}
        textAnchor="middle"
      >
        Δ log p of rejected →
      </text>
    </>
  );
}

function IsoLines({ range, side }: Pick<PairMapFrameProps, "range" | "side">) {
  return isoMargins(range).map((margin) => {
    // The line y = x − margin where it enters and leaves the square.
    const start = mapPixel(Math.max(-range, margin - range), Math.max(-range, -range - margin), range, side);
    const end = mapPixel(Math.min(range, range + margin), Math.min(range, range - margin), range, side);
    return <line key={margin} className="pairmap-iso" x1={start.x} y1={start.y} x2={end.x} y2={end.y} />;
  });
}

function EdgeHistograms({ pairs, range, side }: PairMapFrameProps) {
  const columns = histogram(
    pairs.map(({ chosenDelta }) => chosenDelta),
    range,
    bins,
  );
  const rows = histogram(
    pairs.map(({ rejectedDelta }) => rejectedDelta),
    range,
    bins,
  );
  const width = side / bins;
  // Both share one scale, and a pile of all pairs at the origin does not flatten the rest.
  const tallest = Math.max(...columns, ...rows, 1);
  const length = (count: number) => Math.sqrt(count / tallest) * 22;
  return (
    <>
      {columns.map((count, bin) => (
        <rect
          key={`c${bin}`}
          className="pairmap-bar-chosen"
          x={bin * width + 0.5}
          width={Math.max(width - 1, 1)}
          y={-4 - length(count)}
          height={length(count)}
        />
      ))}
      {rows.map((count, bin) => (
        <rect
          key={`r${bin}`}
          className="pairmap-bar-rejected"
          x={side + 4}
          width={length(count)}
          y={side - (bin + 1) * width + 0.5}
          height={Math.max(width - 1, 1)}
        />
      ))}
    </>
  );
}

/** What lies over the dots. */
export interface PairMapNotesProps {
  readonly range: number;
  readonly side: number;
  readonly trail: readonly SeriesPoint[];
  readonly counts: Readonly<Record<Corner, number>>;
  /** Written at the origin while every pair is there. */
  readonly originNote: string | null;
  readonly selected: PairPoint | null;
  readonly focused: PairPoint | null;
}

/** Names of the corners, lines of equal margin in words, the trail of the mean, and the pair in focus. */
export function PairMapNotes(props: PairMapNotesProps) {
  const { range, side, trail, counts, originNote, selected, focused } = props;
  const { left, top, right, bottom } = mapMargins;
  const isSmall = side < smallSide;
  return (
    <svg className="chart-layer" width={left + side + right} height={top + side + bottom} aria-hidden="true">
      <g transform={`translate(${left} ${top})`}>
        {corners(isSmall).map(({ corner, lines, x, y, anchor }) => (
          <text
            key={corner}
            className="chart-note"
            x={x * side}
            y={y < 0.5 ? 17 : side - 9 - 15 * lines.length + 15}
            dx={x < 0.5 ? 8 : -8}
            textAnchor={anchor}
          >
            {lines.map((line, index) => (
              <tspan key={line} x={x * side} dx={x < 0.5 ? 8 : -8} dy={index === 0 ? 0 : 15}>
                {line}
                {index === lines.length - 1 && counts[corner] > 0 && (
                  <tspan className="pairmap-count"> {counts[corner]}</tspan>
                )}
              </tspan>
            ))}
          </text>
        ))}
        <MarginWords range={range} side={side} />
        <Trail trail={trail} range={range} side={side} />
        {originNote !== null && (
          <text className="pairmap-origin" x={side / 2} y={side / 2 - 16} textAnchor="middle">
            {originNote}
          </text>
        )}
        {selected !== null && <PairRing pair={selected} range={range} side={side} kind="selected" />}
        {focused !== null && <PairRing pair={focused} range={range} side={side} kind="focused" />}
      </g>
    </svg>
  );
}

function corners(isSmall: boolean) {
  const chosenUp = isSmall ? ["chosen up"] : ["chosen up,", "rejected down"];
  const rejectedUp = isSmall ? ["rejected up"] : ["chosen down,", "rejected up"];
  return [
    { corner: "rejectedUp", lines: rejectedUp, x: 0, y: 0, anchor: "start" },
    { corner: "bothUp", lines: ["both up"], x: 1, y: 0, anchor: "end" },
    { corner: "bothDown", lines: ["both down"], x: 0, y: 1, anchor: "start" },
    { corner: "chosenUp", lines: chosenUp, x: 1, y: 1, anchor: "end" },
  ] as const;
}

function MarginWords({ range, side }: Pick<PairMapNotesProps, "range" | "side">) {
  const labelled = [0, ...isoMargins(range).filter((margin) => margin > 0 && margin < range)];
  return labelled.map((margin) => {
    // Written along its line, between the axis and the name of the corner.
    const share = side < smallSide ? 0.45 : 0.62;
    const place = mapPixel(margin + (range - margin) * share, (range - margin) * share, range, side);
    return (
      <text
        key={margin}
        className="chart-note"
        transform={`translate(${place.x} ${place.y}) rotate(-45)`}
        y={-4}
        textAnchor="middle"
      >
        {margin === 0 ? "margin 0" : `+${formatTick(margin, [margin])}`}
      </text>
    );
  });
}

function Trail({ trail, range, side }: Pick<PairMapNotesProps, "trail" | "range" | "side">) {
  const places = trail
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    .map(({ x, y }) => mapPixel(x, y, range, side));
  const last = places.at(-1);
  if (last === undefined || places.length < 2) return null;
  return (
    <g className="pairmap-trail">
      <polyline className="pairmap-trail-ground" points={places.map(({ x, y }) => `${x},${y}`).join(" ")} />
      <polyline points={places.map(({ x, y }) => `${x},${y}`).join(" ")} />
      {places.slice(0, -1).map(({ x, y }, index) => (
        <circle key={index} cx={x} cy={y} r={2} />
      ))}
      <circle className="pairmap-mean" cx={last.x} cy={last.y} r={6} />
      <circle cx={last.x} cy={last.y} r={2.2} />
    </g>
  );
}

interface PairRingProps {
  readonly pair: PairPoint;
  readonly range: number;
  readonly side: number;
  readonly kind: "selected" | "focused";
}

function PairRing({ pair, range, side, kind }: PairRingProps) {
  const { x, y } = mapPixel(pair.chosenDelta, pair.rejectedDelta, range, side);
  return <circle className={`pairmap-${kind}`} cx={x} cy={y} r={kind === "selected" ? 8 : 9.5} />;
}
