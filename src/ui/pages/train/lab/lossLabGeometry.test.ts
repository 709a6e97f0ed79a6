import { describe, expect, it } from "vitest";
import type { ShownSurface } from "../../../../state/lossLab.ts";
import {
  contourLevels,
  contourSegments,
  descentArrows,
  descentWords,
  lossRange,
  placeInWords,
  probeAfter,
  readSurface,
  surfaceSentence,
  valueBetween,
} from "./lossLabGeometry.ts";

const axis = { minimum: -2, maximum: 2, cells: 5 };
const places = Array.from({ length: 25 }, (_, place) => ({
  x: (place % 5) - 2,
  y: Math.floor(place / 5) - 2,
}));
const over = (read: (x: number, y: number) => number) => Float32Array.from(places, ({ x, y }) => read(x, y));

/** The plane loss = 3 − x + 2y with its slopes. */
const plane: ShownSurface = {
  axis,
  losses: over((x, y) => 3 - x + 2 * y),
  chosenSlope: over(() => -1),
  rejectedSlope: over(() => 2),
  pair: { chosenTokens: 9, rejectedTokens: 9, chosenReference: -9, rejectedReference: -9, isMeasured: true },
  held: [],
};

describe("values between places", () => {
  it("are exact on a plane, at its edges too, and nothing outside", () => {
    for (const [x, y] of [
      [0, 0],
      [0.25, -1.5],
      [2, 2],
      [-2, 1.75],
    ] as const)
      expect(valueBetween(plane.losses, axis, { x, y })).toBeCloseTo(3 - x + 2 * y, 6);
    expect(valueBetween(plane.losses, axis, { x: 2.1, y: 0 })).toBeNaN();
  });

  it("need only the corners that count", () => {
    const losses = over((x, y) => (x > 1 ? Number.NaN : y));
    expect(valueBetween(losses, axis, { x: 1, y: 0.5 })).toBeCloseTo(0.5, 6);
    expect(valueBetween(losses, axis, { x: 1.1, y: 0.5 })).toBeNaN();
    expect(readSurface({ ...plane, losses }, { x: 1.5, y: 0 })).toBeNull();
    expect(lossRange(losses)).toEqual([-2, 2]);
    expect(lossRange(over(() => Number.NaN))).toBeNull();
  });
});

describe("contours", () => {
  it("lie where the plane has the level", () => {
    const segments = contourSegments(plane.losses, 5, 3.5);
    expect(segments.length).toBeGreaterThan(4);
    for (const { from, to } of segments)
      for (const { x, y } of [from, to]) expect(3 - (x - 2) + 2 * (y - 2)).toBeCloseTo(3.5, 6);
  });

  it("leave out squares without a number, and levels at the ends", () => {
    expect(
      contourSegments(
        over((x) => (x === 0 ? Number.NaN : x)),
        5,
        0.5,
      ),
    ).toEqual([]);
    expect(contourLevels([0, 10])).toEqual([2, 4, 6, 8]);
    expect(contourLevels([1, 1])).toEqual([]);
  });
});

describe("descent", () => {
  it("points downhill, and nowhere on a flat surface", () => {
    const arrows = descentArrows(plane, 3);
    expect(arrows).toHaveLength(9);
    for (const { dx, dy } of arrows) {
      expect(Math.hypot(dx, dy)).toBeCloseTo(1, 6);
      expect(dy / dx).toBeCloseTo(-2, 6);
    }
    const flat = over(() => 0);
    expect(descentArrows({ ...plane, chosenSlope: flat, rejectedSlope: flat }, 3)).toEqual([]);
  });

  it("is told in words", () => {
    expect(surfaceSentence(plane, { x: 1, y: 0.5 })).toBe(
      "At the mean of the pairs the loss is 3; it falls towards more chosen, less rejected.",
    );
    expect(descentWords({ loss: 1, chosenSlope: -1, rejectedSlope: 0.01 })).toBe(
      "it falls towards more chosen",
    );
    expect(descentWords({ loss: 1, chosenSlope: 0, rejectedSlope: 0 })).toBe("it is flat there");
    expect(surfaceSentence(plane, { x: 5, y: 0 })).toContain("no loss");
    expect(placeInWords({ x: -1, y: 0.5 }, readSurface(plane, { x: -1, y: 0.5 }))).toBe(
      "chosen −1, rejected 0.5: loss 5, slope −1 along chosen, 2 along rejected",
    );
  });
});

it("moves the probe by a place, by five with Shift, home, and never off the surface", () => {
  const options = { axis, isFast: false, home: { x: 0.5, y: -0.5 } };
  expect(probeAfter("ArrowRight", { x: 0, y: 0 }, options)).toEqual({ x: 1, y: 0 });
  expect(probeAfter("ArrowDown", { x: 0, y: -1.5 }, options)).toEqual({ x: 0, y: -2 });
  expect(probeAfter("ArrowUp", { x: 0, y: -2 }, { ...options, isFast: true })).toEqual({ x: 0, y: 2 });
  expect(probeAfter("Home", { x: 2, y: 2 }, options)).toEqual(options.home);
  expect(probeAfter("Tab", { x: 0, y: 0 }, options)).toBeUndefined();
});
