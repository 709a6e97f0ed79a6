/** The mathematics of the loss lab: values between the computed places, lines of equal loss, and arrows downhill. */
import type { ShownSurface } from "../../../../state/lossLab.ts";
import type { LossAxis } from "../../../../worker/protocol.ts";
import { niceTicks } from "../../../charts/scales.ts";
import { formatValue } from "../../../format.ts";

/** A place on the surface: differences to the reference of the chosen and the rejected answer, in nats. */
export interface LabPlace {
  readonly x: number;
  readonly y: number;
}

/** What the surface says of a place. */
export interface LabReading {
  readonly loss: number;
  /** Slopes per nat. */
  readonly chosenSlope: number;
  readonly rejectedSlope: number;
}

/** A piece of a line of equal loss, in cells from the lower left corner. */
export interface ContourSegment {
  readonly from: LabPlace;
  readonly to: LabPlace;
}

/** An arrow downhill; its length is 1 where the slope is steepest. */
export interface DescentArrow extends LabPlace {
  readonly dx: number;
  readonly dy: number;
}

/** Space around the square of the map, for axes. */
export const labMargins = { left: 44, top: 10, right: 30, bottom: 40 } as const;

/** Slopes below this share of the larger one do not name a direction. */
const leastShare = 0.1;
/** Slopes below this, per nat, are flat. */
const flatSlope = 1e-5;

/** A value between the computed places, from the four around it; NaN outside and beside places without a number. */
export function valueBetween(values: Float32Array, axis: LossAxis, { x, y }: LabPlace): number {
  const { minimum, maximum, cells } = axis;
  const cellOf = (value: number) => ((value - minimum) / (maximum - minimum)) * (cells - 1);
  const [column, row] = [cellOf(x), cellOf(y)];
  if (!(column >= 0 && row >= 0 && column <= cells - 1 && row <= cells - 1)) return Number.NaN;
  const left = Math.min(Math.floor(column), cells - 2);
  const below = Math.min(Math.floor(row), cells - 2);
  const [across, up] = [column - left, row - below];
  const at = (dc: number, dr: number) => values[(below + dr) * cells + left + dc] ?? Number.NaN;
  // A corner that counts for nothing may have no number.
  const part = (weight: number, value: number) => (weight === 0 ? 0 : weight * value);
  return (
    part((1 - across) * (1 - up), at(0, 0)) +
    part(across * (1 - up), at(1, 0)) +
    part((1 - across) * up, at(0, 1)) +
    part(across * up, at(1, 1))
  );
}

/** What the surface says of a place; null where it has no number. */
export function readSurface(surface: ShownSurface, place: LabPlace): LabReading | null {
  const { axis, losses, chosenSlope, rejectedSlope } = surface;
  const reading = {
    loss: valueBetween(losses, axis, place),
    chosenSlope: valueBetween(chosenSlope, axis, place),
    rejectedSlope: valueBetween(rejectedSlope, axis, place),
  };
  return Object.values(reading).every(Number.isFinite) ? reading : null;
}

/** Smallest and largest loss of the surface; null when it has no number at all. */
export function lossRange(losses: Float32Array): readonly [number, number] | null {
  const finite = losses.filter(Number.isFinite);
  if (finite.length === 0) return null;
  return finite.reduce<[number, number]>(
    ([least, most], loss) => [Math.min(least, loss), Math.max(most, loss)],
    [Infinity, -Infinity],
  );
}

/** Round losses between the smallest and the largest, about seven. */
export function contourLevels([least, most]: readonly [number, number]): number[] {
  return niceTicks(least, most, 7).filter((level) => level > least && level < most);
}

/** The line of one loss through the squares between the places (marching squares); none through squares without a number. */
export function contourSegments(values: Float32Array, cells: number, level: number): ContourSegment[] {
  const segments: ContourSegment[] = [];
  const at = (column: number, row: number) => values[row * cells + column] ?? Number.NaN;
  for (let row = 0; row < cells - 1; row++) {
    for (let column = 0; column < cells - 1; column++) {
      const corners = [
        { x: column, y: row, value: at(column, row) },
        { x: column + 1, y: row, value: at(column + 1, row) },
        { x: column + 1, y: row + 1, value: at(column + 1, row + 1) },
        { x: column, y: row + 1, value: at(column, row + 1) },
      ];
      if (corners.some(({ value }) => !Number.isFinite(value))) continue;
      const crossings = corners.flatMap((start, index) => {
        const end = corners[(index + 1) % corners.length] ?? start;
        if (start.value < level === end.value < level) return [];
        const share = (level - start.value) / (end.value - start.value);
        return [{ x: start.x + (end.x - start.x) * share, y: start.y + (end.y - start.y) * share }];
      });
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        const [from, to] = [crossings[pair], crossings[pair + 1]];
        if (from !== undefined && to !== undefined) segments.push({ from, to });
      }
    }
  }
  return segments;
}

/** Arrows on a square lattice inside the surface, pointing where the loss falls. */
export function descentArrows(surface: ShownSurface, perSide: number): DescentArrow[] {
  const { minimum, maximum } = surface.axis;
  const middles = Array.from(
    { length: perSide },
    (_, index) => minimum + ((maximum - minimum) * (index + 0.5)) / perSide,
  );
  const found = middles.flatMap((y) =>
    middles.flatMap((x) => {
      const reading = readSurface(surface, { x, y });
      return reading === null ? [] : [{ x, y, dx: -reading.chosenSlope, dy: -reading.rejectedSlope }];
    }),
  );
  const steepest = Math.max(...found.map(({ dx, dy }) => Math.hypot(dx, dy)), 0);
  if (steepest < flatSlope) return [];
  return found.map(({ x, y, dx, dy }) => {
    const length = Math.hypot(dx, dy);
    // The root keeps gentle slopes visible beside steep ones.
    const scale = length === 0 ? 0 : Math.sqrt(length / steepest) / length;
    return { x, y, dx: dx * scale, dy: dy * scale };
  });
}

/** Where the loss falls, in words. */
export function descentWords({ chosenSlope, rejectedSlope }: LabReading): string {
  const steepest = Math.max(Math.abs(chosenSlope), Math.abs(rejectedSlope));
  if (steepest < flatSlope) return "it is flat there";
  const word = (slope: number, side: string) =>
    Math.abs(slope) < leastShare * steepest ? [] : [`${slope < 0 ? "more" : "less"} ${side}`];
  const words = [...word(chosenSlope, "chosen"), ...word(rejectedSlope, "rejected")];
  return `it falls towards ${words.join(", ")}`;
}

/** The surface in one sentence, at the mean of the pairs. */
export function surfaceSentence(surface: ShownSurface, mean: LabPlace): string {
  const reading = readSurface(surface, mean);
  if (reading === null) return "At the mean of the pairs the typical pair has no loss.";
  return `At the mean of the pairs the loss is ${formatValue(reading.loss)}; ${descentWords(reading)}.`;
}

/** A place and what is there, as a screen reader speaks it. */
export function placeInWords({ x, y }: LabPlace, reading: LabReading | null): string {
  const place = `chosen ${formatValue(x)}, rejected ${formatValue(y)}`;
  if (reading === null) return `${place}: no loss here`;
  const { loss, chosenSlope, rejectedSlope } = reading;
  const slopes = `slope ${formatValue(chosenSlope)} along chosen, ${formatValue(rejectedSlope)} along rejected`;
  return `${place}: loss ${formatValue(loss)}, ${slopes}`;
}

/** Where an arrow key takes the probe; undefined for other keys. */
export function probeAfter(
  key: string,
  from: LabPlace,
  { axis, isFast, home }: { readonly axis: LossAxis; readonly isFast: boolean; readonly home: LabPlace },
): LabPlace | undefined {
  const step = ((axis.maximum - axis.minimum) / (axis.cells - 1)) * (isFast ? 5 : 1);
  const clamp = (value: number) => Math.min(Math.max(value, axis.minimum), axis.maximum);
  const moves: Record<string, LabPlace> = {
    ArrowRight: { x: from.x + step, y: from.y },
    ArrowLeft: { x: from.x - step, y: from.y },
    ArrowUp: { x: from.x, y: from.y + step },
    ArrowDown: { x: from.x, y: from.y - step },
    Home: home,
  };
  const target = moves[key];
  return target && { x: clamp(target.x), y: clamp(target.y) };
}
