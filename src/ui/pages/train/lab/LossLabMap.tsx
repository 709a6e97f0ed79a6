import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import type { ShownSurface } from "../../../../state/lossLab.ts";
import { MapAxes } from "../PairMapFrame.tsx";
import { mapPixel, type PairPoint } from "../PairMapGeometry.ts";
import { drawSurface, readLabPalette } from "./drawSurface.ts";
import { LossLabProbe } from "./LossLabProbe.tsx";
import { labMargins, type LabPlace } from "./lossLabGeometry.ts";

/** Largest and smallest side of the square, in pixels. */
const sides = { least: 180, most: 460 } as const;

/** What the map is drawn from. */
export interface LossLabMapProps {
  readonly surface: ShownSurface;
  readonly pairs: readonly PairPoint[];
  readonly mean: LabPlace;
}

/** The surface as colours with lines of equal loss and arrows downhill, the pairs, and the probe over it. */
export function LossLabMap({ surface, pairs, mean }: LossLabMapProps) {
  const { ref, width } = useElementSize();
  const [probe, setProbe] = useState<LabPlace | null>(null);
  const scheme = useComputedColorScheme("light");
  const side = Math.min(Math.max(width - labMargins.left - labMargins.right, sides.least), sides.most);
  const range = surface.axis.maximum;
  const size = {
    width: labMargins.left + side + labMargins.right,
    height: labMargins.top + side + labMargins.bottom,
  };
  return (
    <div className="pairmap-room" ref={ref} style={{ minHeight: size.height }}>
      {width > 0 && (
        <div className="pairmap-map" style={size}>
          <svg className="chart-layer" {...size} aria-hidden="true">
            <g transform={`translate(${labMargins.left} ${labMargins.top})`}>
              <rect className="loss-lab-ground" width={side} height={side} />
              <MapAxes range={range} side={side} />
            </g>
          </svg>
          <div className="pairmap-dots" style={{ left: labMargins.left, top: labMargins.top }}>
            {/* A canvas reads its colours when it is drawn, so another scheme needs another canvas. */}
            <SurfaceCanvas key={scheme} {...{ surface, pairs, side }} />
          </div>
          <svg className="chart-layer" {...size} aria-hidden="true">
            <g transform={`translate(${labMargins.left} ${labMargins.top})`}>
              {pairs.length > 0 && <MeanRing {...mapPixel(mean.x, mean.y, range, side)} />}
            </g>
          </svg>
          <LossLabProbe {...{ surface, mean, side, probe }} onProbe={setProbe} />
        </div>
      )}
    </div>
  );
}

function MeanRing({ x, y }: { readonly x: number; readonly y: number }) {
  return (
    <>
      <circle className="loss-lab-ring-ground" cx={x} cy={y} r={8} />
      <circle className="loss-lab-ring" cx={x} cy={y} r={8} />
    </>
  );
}

interface SurfaceCanvasProps {
  readonly surface: ShownSurface;
  readonly pairs: readonly PairPoint[];
  readonly side: number;
}

function SurfaceCanvas({ surface, pairs, side }: SurfaceCanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext("2d");
    if (canvas === null || context === null || context === undefined) return;
    const ratio = window.devicePixelRatio;
    canvas.width = Math.round(side * ratio);
    canvas.height = Math.round(side * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawSurface(context, { surface, pairs, side, palette: readLabPalette(canvas) });
  }, [surface, pairs, side]);
  return (
    <canvas ref={ref} className="pairmap-canvas" style={{ width: side, height: side }} aria-hidden="true" />
  );
}
