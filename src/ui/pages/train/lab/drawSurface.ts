/** Paints a loss surface: colours, lines of equal loss with their values, arrows downhill, and the pairs. */
import type { ShownSurface } from "../../../../state/lossLab.ts";
import { formatTick } from "../../../charts/scales.ts";
import { mapPixel, type PairPoint } from "../PairMapGeometry.ts";
import {
  contourLevels,
  contourSegments,
  descentArrows,
  lossRange,
  type ContourSegment,
} from "./lossLabGeometry.ts";

/** Colours of both schemes: the map's stops from the lowest loss to the highest, and what is drawn over them. */
export interface LabPalette {
  readonly stops: readonly (readonly [number, number, number])[];
  readonly mark: string;
  readonly outline: string;
  readonly ink: string;
  readonly ground: string;
}

/** What is painted, and how large. */
export interface SurfaceDrawing {
  readonly surface: ShownSurface;
  readonly pairs: readonly PairPoint[];
  readonly side: number;
  readonly palette: LabPalette;
}

const stopCount = 6;
const arrowsPerSide = 8;
/** Pixels between two values written at lines of equal loss. */
const labelGap = 26;

/** The tokens as numbers, read from an element of the page. */
export function readLabPalette(element: Element): LabPalette {
  const style = getComputedStyle(element);
  const read = (token: string) => style.getPropertyValue(token).trim();
  return {
    stops: Array.from({ length: stopCount }, (_, index) => channels(read(`--map-${index + 1}`))),
    mark: read("--map-mark"),
    outline: read("--map-outline"),
    ink: read("--ink"),
    ground: read("--panel"),
  };
}

/** Red, green and blue of `#rrggbb`. */
function channels(colour: string): [number, number, number] {
  const number = Number.parseInt(colour.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

/** Paints everything onto a square of `side` pixels whose origin is its upper left corner. */
export function drawSurface(context: CanvasRenderingContext2D, drawing: SurfaceDrawing): void {
  const { side } = drawing;
  context.clearRect(0, 0, side, side);
  context.save();
  context.beginPath();
  context.rect(0, 0, side, side);
  context.clip();
  const range = lossRange(drawing.surface.losses);
  if (range !== null) {
    drawColours(context, drawing, range);
    drawArrows(context, drawing);
    drawContours(context, drawing, range);
  }
  drawPairs(context, drawing);
  context.restore();
}

function drawColours(
  context: CanvasRenderingContext2D,
  { surface, side, palette }: SurfaceDrawing,
  [least, most]: readonly [number, number],
): void {
  const { cells } = surface.axis;
  const image = new ImageData(cells, cells);
  surface.losses.forEach((loss, place) => {
    if (!Number.isFinite(loss)) return;
    const share = most > least ? (loss - least) / (most - least) : 0;
    // Rows rise on the surface and fall in an image.
    const row = cells - 1 - Math.floor(place / cells);
    image.data.set([...colourAt(share, palette.stops), 255], (row * cells + (place % cells)) * 4);
  });
  const small = new OffscreenCanvas(cells, cells);
  small.getContext("2d")?.putImageData(image, 0, 0);
  // A place is the middle of its cell, and the outermost places lie on the edge of the square.
  const cell = side / (cells - 1);
  context.imageSmoothingEnabled = true;
  context.drawImage(small, -cell / 2, -cell / 2, cells * cell, cells * cell);
}

function colourAt(share: number, stops: LabPalette["stops"]): [number, number, number] {
  const place = share * (stops.length - 1);
  const index = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [stops[index] ?? [0, 0, 0], stops[index + 1] ?? [0, 0, 0]];
  const mix = (channel: 0 | 1 | 2) => from[channel] + (to[channel] - from[channel]) * (place - index);
  return [mix(0), mix(1), mix(2)];
}

/** A line with an outline, so that it is seen on dark and on light ground. */
function strokeTwice(context: CanvasRenderingContext2D, palette: LabPalette, width: number): void {
  context.strokeStyle = palette.outline;
  context.lineWidth = width + 2;
  context.stroke();
  context.strokeStyle = palette.mark;
  context.lineWidth = width;
  context.stroke();
}

function drawContours(
  context: CanvasRenderingContext2D,
  { surface, side, palette }: SurfaceDrawing,
  range: readonly [number, number],
): void {
  const { cells } = surface.axis;
  const pixel = ({ x, y }: ContourSegment["from"]) => ({
    x: (x / (cells - 1)) * side,
    y: side - (y / (cells - 1)) * side,
  });
  const levels = contourLevels(range);
  const written: { readonly x: number; readonly y: number }[] = [];
  context.setLineDash([]);
  for (const level of levels) {
    const segments = contourSegments(surface.losses, cells, level);
    context.beginPath();
    for (const { from, to } of segments) {
      const [start, end] = [pixel(from), pixel(to)];
      context.moveTo(start.x, start.y);
      context.lineTo(end.x, end.y);
    }
    context.globalAlpha = 0.85;
    strokeTwice(context, palette, 1);
    context.globalAlpha = 1;
    const place = labelPlace(segments, cells);
    if (place === null) continue;
    const at = pixel(place);
    if (written.some((other) => Math.hypot(other.x - at.x, other.y - at.y) < labelGap)) continue;
    written.push(at);
    writeValue(context, palette, { text: formatTick(level, levels), x: at.x, y: at.y, side });
  }
}

/** The middle of the segment nearest to the falling diagonal, which most lines cross. */
function labelPlace(segments: readonly ContourSegment[], cells: number): ContourSegment["from"] | null {
  let nearest: ContourSegment["from"] | null = null;
  let least = Infinity;
  for (const { from, to } of segments) {
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    const distance = Math.abs(middle.x + middle.y - (cells - 1));
    if (distance >= least) continue;
    nearest = middle;
    least = distance;
  }
  return nearest;
}

function writeValue(
  context: CanvasRenderingContext2D,
  palette: LabPalette,
  {
    text,
    x,
    y,
    side,
  }: { readonly text: string; readonly x: number; readonly y: number; readonly side: number },
): void {
  context.font = `12px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const half = context.measureText(text).width / 2 + 4;
  const middle = Math.min(Math.max(x, half), side - half);
  context.fillStyle = palette.ground;
  context.beginPath();
  context.roundRect(middle - half, Math.min(Math.max(y, 9), side - 9) - 8, 2 * half, 16, 3);
  context.fill();
  context.fillStyle = palette.ink;
  context.fillText(text, middle, Math.min(Math.max(y, 9), side - 9));
}

function drawArrows(context: CanvasRenderingContext2D, { surface, side, palette }: SurfaceDrawing): void {
  const longest = (side / arrowsPerSide) * 0.62;
  for (const { x, y, dx, dy } of descentArrows(surface, arrowsPerSide)) {
    const middle = mapPixel(x, y, surface.axis.maximum, side);
    const length = Math.hypot(dx, dy);
    if (length < 0.08) continue;
    // Heights rise on the surface and fall on the screen.
    const [across, down] = [(dx / length) * longest * length, (-dy / length) * longest * length];
    const tip = { x: middle.x + across / 2, y: middle.y + down / 2 };
    const angle = Math.atan2(down, across);
    context.beginPath();
    context.moveTo(middle.x - across / 2, middle.y - down / 2);
    context.lineTo(tip.x, tip.y);
    for (const turn of [-2.6, 2.6]) {
      context.moveTo(tip.x, tip.y);
      context.lineTo(tip.x + 5 * Math.cos(angle + turn), tip.y + 5 * Math.sin(angle + turn));
    }
    context.globalAlpha = 0.75;
    strokeTwice(context, palette, 1.2);
    context.globalAlpha = 1;
  }
}

function drawPairs(
  context: CanvasRenderingContext2D,
  { surface, pairs, side, palette }: SurfaceDrawing,
): void {
  for (const { chosenDelta, rejectedDelta, margin } of pairs) {
    const { x, y } = mapPixel(chosenDelta, rejectedDelta, surface.axis.maximum, side);
    context.beginPath();
    if (margin < 0) {
      context.moveTo(x, y - 4.5);
      context.lineTo(x + 4.5, y);
      context.lineTo(x, y + 4.5);
      context.lineTo(x - 4.5, y);
      context.closePath();
    } else {
      context.arc(x, y, 3.4, 0, 2 * Math.PI);
    }
    context.fillStyle = margin < 0 ? palette.outline : palette.mark;
    context.strokeStyle = margin < 0 ? palette.mark : palette.outline;
    context.lineWidth = 1.4;
    context.fill();
    context.stroke();
  }
}
