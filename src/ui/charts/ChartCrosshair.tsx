import { useRef, useState, type PointerEvent } from "react";
import { ChartHair, ChartReadOut } from "./ChartReadOut.tsx";
import { nextPlace, snap, valuesInWords, zoomByKey } from "./crosshairKeys.ts";
import type { Range } from "./domains.ts";
import type { DrawnLine } from "./drawnSeries.ts";
import { pixelX, placeAt, type PlotGeometry } from "./plotGeometry.ts";

/** What the crosshair needs and tells. */
export interface ChartCrosshairProps {
  readonly title: string;
  readonly summaryId: string;
  readonly xLabel: string;
  readonly lines: readonly DrawnLine[];
  readonly geometry: PlotGeometry;
  /** All there is to see, which a zoom never leaves. */
  readonly everything: Range;
  readonly hoveredX: number | null;
  readonly onHoverX: (x: number | null) => void;
  readonly onZoom: (zoom: Range | null) => void;
}

/** A drag shorter than this, in pixels, is a click. */
const shortestDrag = 6;

/** Takes pointer and keys over the plot: crosshair, read-out and zoom. The lines below are not drawn again. */
export function ChartCrosshair(props: ChartCrosshairProps) {
  const { title, summaryId, xLabel, lines, geometry, hoveredX } = props;
  const [isActive, setIsActive] = useState(false);
  const drag = useZoomDrag(props);
  const { places, left, top, plotWidth, plotHeight } = geometry;
  const isVisible = hoveredX !== null && hoveredX >= places[0] && hoveredX <= places[1];
  const spokenX = snap(lines, hoveredX ?? places[1]);
  const leave = () => {
    setIsActive(false);
    props.onHoverX(null);
  };
  const walk = (key: string, isFast: boolean) => {
    const next = nextPlace(key, isFast, props);
    if (next === undefined) return false;
    props.onHoverX(next);
    return true;
  };
  return (
    <>
      <div
        className="chart-surface"
        style={{ left, top, width: plotWidth, height: plotHeight }}
        role="slider"
        aria-label={`${title}, by ${xLabel}`}
        aria-describedby={summaryId}
        aria-valuemin={places[0]}
        aria-valuemax={places[1]}
        aria-valuenow={spokenX}
        aria-valuetext={valuesInWords(lines, spokenX, xLabel)}
        tabIndex={0}
        onFocus={() => setIsActive(true)}
        onBlur={leave}
        onPointerEnter={() => setIsActive(true)}
        onPointerLeave={leave}
        onPointerDown={drag.down}
        onPointerMove={drag.move}
        onPointerUp={drag.up}
        onPointerCancel={drag.cancel}
        onDoubleClick={() => props.onZoom(null)}
        onKeyDown={(event) => {
          const isHandled = walk(event.key, event.shiftKey) || zoomByKey(event.key, props);
          if (isHandled) event.preventDefault();
        }}
      />
      <svg className="chart-layer" width={geometry.width} height={geometry.height} aria-hidden="true">
        {drag.range !== null && (
          <rect
            className="chart-zoom"
            x={pixelX(geometry, drag.range[0])}
            width={pixelX(geometry, drag.range[1]) - pixelX(geometry, drag.range[0])}
            y={top}
            height={plotHeight}
          />
        )}
        {isVisible && <ChartHair lines={lines} geometry={geometry} x={hoveredX} xLabel={xLabel} />}
      </svg>
      {isVisible && isActive && (
        <ChartReadOut lines={lines} geometry={geometry} x={hoveredX} xLabel={xLabel} />
      )}
    </>
  );
}

/** Pointer handlers: moving points, dragging with a mouse or pen selects a part of x. */
function useZoomDrag({ lines, geometry, onHoverX, onZoom }: ChartCrosshairProps) {
  const start = useRef<number | null>(null);
  const [range, setRange] = useState<Range | null>(null);
  const placeOf = (event: PointerEvent<HTMLElement>) =>
    placeAt(geometry, geometry.left + event.clientX - event.currentTarget.getBoundingClientRect().left);
  const cancel = () => {
    start.current = null;
    setRange(null);
  };
  return {
    range,
    cancel,
    down: (event: PointerEvent<HTMLElement>) => {
      if (event.pointerType === "touch" || event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      start.current = placeOf(event);
    },
    move: (event: PointerEvent<HTMLElement>) => {
      const place = placeOf(event);
      onHoverX(snap(lines, place));
      if (start.current === null) return;
      const ends = [Math.min(start.current, place), Math.max(start.current, place)] as const;
      const pixels = pixelX(geometry, ends[1]) - pixelX(geometry, ends[0]);
      setRange(pixels < shortestDrag ? null : ends);
    },
    up: () => {
      if (range !== null) onZoom(range);
      cancel();
    },
  };
}
