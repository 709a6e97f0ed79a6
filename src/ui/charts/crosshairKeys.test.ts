import { describe, expect, test } from "vitest";
import { nextPlace, snap, valuesInWords, zoomByKey } from "./crosshairKeys.ts";
import type { Range } from "./domains.ts";
import { drawnLine } from "./drawnSeries.ts";

const lines = [
  drawnLine(
    {
      name: "loss",
      label: "loss",
      color: "ink",
      points: Array.from({ length: 20 }, (_, index) => ({ x: index + 1, y: 1 / (index + 1) })),
      evalPoints: [{ x: 0, y: 1 }],
    },
    0.6,
  ),
];
const places: Range = [0, 20];
const view = (hoveredX: number | null) => ({ lines, geometry: { places }, hoveredX });

test("the crosshair stops at measured places only", () => {
  expect(snap(lines, 3.4)).toBe(3);
  expect(snap(lines, 0.2)).toBe(0);
  expect(snap(lines, 99)).toBe(20);
});

describe("keys", () => {
  test("walk from the newest value, by one or by ten, and stay inside", () => {
    expect(nextPlace("ArrowLeft", false, view(null))).toBe(20);
    expect(nextPlace("ArrowLeft", false, view(20))).toBe(19);
    expect(nextPlace("ArrowLeft", true, view(15))).toBe(5);
    expect(nextPlace("ArrowLeft", true, view(4))).toBe(0);
    expect(nextPlace("ArrowRight", false, view(20))).toBe(20);
    expect(nextPlace("Home", false, view(9))).toBe(0);
    expect(nextPlace("End", false, view(9))).toBe(20);
  });

  test("Escape clears, and keys that belong to the page are left to it", () => {
    expect(nextPlace("Escape", false, view(9))).toBeNull();
    expect(nextPlace("s", false, view(9))).toBeUndefined();
    expect(zoomByKey("s", { ...view(9), everything: places, onZoom: () => undefined })).toBe(false);
  });

  test("zoom halves what is seen around the crosshair and never leaves the data", () => {
    const zooms: (Range | null)[] = [];
    const zoomed = (key: string, hoveredX: number | null, seen: Range) =>
      zoomByKey(key, {
        lines,
        geometry: { places: seen },
        hoveredX,
        everything: places,
        onZoom: (zoom) => zooms.push(zoom),
      });
    zoomed("+", 10, places);
    zoomed("+", null, places);
    zoomed("-", 10, [5, 15]);
    zoomed("0", 10, [5, 15]);
    expect(zooms).toEqual([[5, 15], [10, 20], null, null]);
  });
});

test("values are spoken raw", () => {
  expect(valuesInWords(lines, 4, "step")).toBe("step 4: loss 0.25");
});
