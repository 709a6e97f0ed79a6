import { useId, type PointerEvent } from "react";
import type { ShownSurface } from "../../../../state/lossLab.ts";
import { formatValue } from "../../../format.ts";
import { mapPixel } from "../PairMapGeometry.ts";
import {
  labMargins,
  placeInWords,
  probeAfter,
  readSurface,
  surfaceSentence,
  type LabPlace,
  type LabReading,
} from "./lossLabGeometry.ts";

/** What the probe moves over. */
export interface LossLabProbeProps {
  readonly surface: ShownSurface;
  readonly mean: LabPlace;
  readonly side: number;
  readonly probe: LabPlace | null;
  readonly onProbe: (probe: LabPlace | null) => void;
}

/** Pointer and keys over the surface: both move a probe that reads out the loss and its slopes. */
export function LossLabProbe({ surface, mean, side, probe, onProbe }: LossLabProbeProps) {
  const hintId = useId();
  const { axis } = surface;
  const reading = probe === null ? null : readSurface(surface, probe);
  const point = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    const span = axis.maximum - axis.minimum;
    onProbe({ x: axis.minimum + across * span, y: axis.maximum - down * span });
  };
  const press = (key: string, isFast: boolean): boolean => {
    if (key === "Escape" && probe !== null) {
      onProbe(null);
      return true;
    }
    // The first key shows where the probe stands before it moves.
    const next = probeAfter(key, probe ?? mean, { axis, isFast, home: mean });
    if (next === undefined) return false;
    onProbe(probe === null ? mean : next);
    return true;
  };
  return (
    <>
      <div
        className="chart-surface"
        style={{ left: labMargins.left, top: labMargins.top, width: side, height: side }}
        role="slider"
        tabIndex={0}
        aria-label={`Loss lab: ${surfaceSentence(surface, mean)}`}
        aria-describedby={hintId}
        aria-valuemin={axis.minimum}
        aria-valuemax={axis.maximum}
        aria-valuenow={(probe ?? mean).x}
        aria-valuetext={probe === null ? "no probe" : placeInWords(probe, reading)}
        data-testid="loss-surface"
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={(event) => {
          // A finger that was lifted leaves the probe where it is.
          if (event.pointerType === "mouse") onProbe(null);
        }}
        onBlur={() => onProbe(null)}
        onKeyDown={(event) => {
          if (press(event.key, event.shiftKey)) event.preventDefault();
        }}
      />
      {probe !== null && <ProbeMark {...mapPixel(probe.x, probe.y, axis.maximum, side)} side={side} />}
      {probe !== null && <ProbeReadOut {...{ probe, reading, side }} range={axis.maximum} />}
      <p className="chart-spoken" id={hintId}>
        Arrow keys move a probe over the surface, with Shift by five places; Home puts it at the mean.
      </p>
    </>
  );
}

function ProbeMark({ x, y, side }: { readonly x: number; readonly y: number; readonly side: number }) {
  const { left, top, right, bottom } = labMargins;
  return (
    <svg className="chart-layer" width={left + side + right} height={top + side + bottom} aria-hidden="true">
      <g transform={`translate(${left} ${top})`}>
        <path className="loss-lab-ring-ground" d={`M${x - 9} ${y}h18M${x} ${y - 9}v18`} />
        <path className="loss-lab-ring" d={`M${x - 9} ${y}h18M${x} ${y - 9}v18`} />
      </g>
    </svg>
  );
}

interface ProbeReadOutProps {
  readonly probe: LabPlace;
  readonly reading: LabReading | null;
  readonly range: number;
  readonly side: number;
}

function ProbeReadOut({ probe, reading, range, side }: ProbeReadOutProps) {
  const { x, y } = mapPixel(probe.x, probe.y, range, side);
  const across =
    x > side / 2 ? { right: side - x + labMargins.right + 14 } : { left: x + labMargins.left + 14 };
  const along = y > side / 2 ? { bottom: side - y + labMargins.bottom + 8 } : { top: y + labMargins.top + 8 };
  const rows: readonly (readonly [string, number])[] = [
    ["Δ chosen", probe.x],
    ["Δ rejected", probe.y],
    ...(reading === null
      ? []
      : ([
          ["slope, chosen", reading.chosenSlope],
          ["slope, rejected", reading.rejectedSlope],
        ] as const)),
  ];
  return (
    <div className="chart-readout" style={{ ...across, ...along }} aria-hidden="true">
      <table>
        <thead>
          <tr>
            <th scope="col">loss</th>
            <th scope="col">
              <strong>{reading === null ? "none here" : formatValue(reading.loss)}</strong>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                {value > 0 ? "+" : ""}
                {formatValue(value)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
