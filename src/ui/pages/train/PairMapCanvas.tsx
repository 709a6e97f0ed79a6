import { useReducedMotion } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { mapPixel, type PairPoint } from "./PairMapGeometry.ts";

/** What the dots are drawn from. */
export interface PairMapCanvasProps {
  readonly pairs: readonly PairPoint[];
  readonly range: number;
  /** Side of the square in CSS pixels. */
  readonly side: number;
}

/** How long dots take to their new place. */
const glideMs = 320;

type Places = ReadonlyMap<number, { readonly x: number; readonly y: number }>;

interface Palette {
  readonly up: string;
  readonly down: string;
  readonly still: string;
  readonly ground: string;
}

/** The dots of the Pair Map: filled discs where the margin is above 0, open diamonds where it is below. */
export function PairMapCanvas({ pairs, range, side }: PairMapCanvasProps) {
  const canvasRef = useRef<HTMLCanvasElement>(null);
  const drawnRef = useRef<Places>(new Map());
  const isStill = useReducedMotion(false);
  useEffect(() => {
    const canvas = canvasRef.current;
    const context = canvas?.getContext("2d");
    if (canvas === null || context === null || context === undefined) return;
    const ratio = window.devicePixelRatio;
    canvas.width = Math.round(side * ratio);
    canvas.height = Math.round(side * ratio);
    const palette = readPalette(canvas);
    const from = drawnRef.current;
    const to: Places = new Map(
      pairs.map(({ pairIndex, chosenDelta, rejectedDelta }) => [
        pairIndex,
        { x: chosenDelta, y: rejectedDelta },
      ]),
    );
    const paint = (share: number) => {
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, side, side);
      drawnRef.current = between(from, to, share);
      for (const { pairIndex, margin } of pairs) {
        const place = drawnRef.current.get(pairIndex);
        if (place === undefined) continue;
        drawPair(context, { ...mapPixel(place.x, place.y, range, side), margin, palette });
      }
    };
    if (isStill || from.size === 0) {
      paint(1);
      return;
    }
    return glide(paint);
  }, [pairs, range, side, isStill]);
  return (
    <canvas
      ref={canvasRef}
      className="pairmap-canvas"
      style={{ width: side, height: side }}
      aria-hidden="true"
    />
  );
}

/** Calls `paint` with shares from 0 to 1; the returned function ends it at once. */
function glide(paint: (share: number) => void): () => void {
  const start = performance.now();
  let frame = 0;
  const next = () => {
    const share = Math.min((performance.now() - start) / glideMs, 1);
    paint(1 - (1 - share) ** 3);
    if (share < 1) frame = requestAnimationFrame(next);
  };
  next();
  return () => cancelAnimationFrame(frame);
}

function between(from: Places, to: Places, share: number): Places {
  if (share >= 1) return to;
  return new Map(
    [...to].map(([pair, end]) => {
      const start = from.get(pair) ?? end;
      return [pair, { x: start.x + (end.x - start.x) * share, y: start.y + (end.y - start.y) * share }];
    }),
  );
}

function readPalette(canvas: HTMLCanvasElement): Palette {
  const style = getComputedStyle(canvas);
  const read = (token: string) => style.getPropertyValue(token).trim();
  return { up: read("--chosen"), down: read("--rejected"), still: read("--muted"), ground: read("--panel") };
}

interface PairDrawing {
  readonly x: number;
  readonly y: number;
  readonly margin: number;
  readonly palette: Palette;
}

function drawPair(context: CanvasRenderingContext2D, { x, y, margin, palette }: PairDrawing): void {
  context.beginPath();
  if (margin < 0) {
    context.moveTo(x, y - 5);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 5);
    context.lineTo(x - 5, y);
    context.closePath();
    context.fillStyle = palette.ground;
    context.strokeStyle = palette.down;
    context.lineWidth = 1.8;
  } else {
    context.arc(x, y, 4.2, 0, 2 * Math.PI);
    context.fillStyle = margin > 0 ? palette.up : palette.ground;
    context.strokeStyle = margin > 0 ? palette.ground : palette.still;
    context.lineWidth = margin > 0 ? 1 : 1.6;
  }
  context.globalAlpha = 0.85;
  context.fill();
  context.stroke();
  context.globalAlpha = 1;
}
