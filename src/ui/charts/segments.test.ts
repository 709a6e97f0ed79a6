import { expect, test } from "vitest";
import { invalidPlaces, nearestPoint, strokePoints } from "./segments.ts";

test("a value that is not finite ends the stroke and is never bridged", () => {
  const points = [
    { x: 1, y: 1 },
    { x: 2, y: Number.NaN },
    { x: 3, y: Number.NEGATIVE_INFINITY },
    { x: 4, y: 2 },
  ];
  expect(strokePoints(points).map(({ y }) => y)).toEqual([1, null, null, 2]);
  expect(invalidPlaces([points, [{ x: 2, y: Number.NaN }]])).toEqual([2, 3]);
});

test("a run that goes back to an earlier step starts a new stroke", () => {
  const strokes = strokePoints([
    { x: 9, y: 1 },
    { x: 10, y: 2 },
    { x: 8, y: 3 },
  ]);
  expect(strokes).toEqual([
    { x: 9, y: 1 },
    { x: 10, y: 2 },
    { x: 8, y: null },
    { x: 8, y: 3 },
  ]);
});

test("the crosshair finds the nearest step, the later of two", () => {
  const points = [1, 3, 5].map((x) => ({ x, y: x }));
  expect(nearestPoint(points, 3.4)?.x).toBe(3);
  expect(nearestPoint(points, 4)?.x).toBe(5);
  expect(nearestPoint([], 4)).toBeNull();
});
