import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { ChartLabels } from "./ChartLabels.tsx";
import { ChartNotes } from "./ChartUnderlay.tsx";
import { drawnLine } from "./drawnSeries.ts";
import { pixelX, pixelY, placeAt, plotGeometry } from "./plotGeometry.ts";

const geometry = plotGeometry({
  width: 300,
  height: 150,
  gutter: 80,
  places: [0, 10],
  values: [-1, 1],
  scale: "symlog",
});

const line = (label: string, values: readonly number[]) =>
  drawnLine(
    {
      name: `rewards/${label}`,
      label,
      color: "chosen",
      points: values.map((y, index) => ({ x: index + 1, y })),
    },
    0,
  );

const draw = (values: readonly number[], hoveredX: number | null) =>
  renderToStaticMarkup(
    <ChartLabels lines={[line("chosen", values)]} geometry={geometry} hoveredX={hoveredX} />,
  );

describe("labels", () => {
  test("name the line and give its newest value, or the value under the crosshair", () => {
    expect(draw([0.1, 0.2, 0.3], null)).toMatch(/chosen<tspan[^>]*>0\.3</);
    expect(draw([0.1, 0.2, 0.3], 2)).toMatch(/chosen<tspan[^>]*>0\.2</);
  });

  test("put a cross on the axis at a step without a number, and none elsewhere", () => {
    const crosses = (values: readonly number[]) => draw(values, null).match(/chart-cross/g)?.length ?? 0;
    expect(crosses([0.1, 0.2, 0.3])).toBe(0);
    expect(crosses([0.1, Number.NaN, 0.3, Number.POSITIVE_INFINITY])).toBe(2);
    expect(draw([0.1, Number.NaN, 0.3], null)).toContain(
      `M${pixelX(geometry, 2) - 4} ${geometry.top + geometry.plotHeight - 4}`,
    );
  });
});

test("guides that are close together share one name", () => {
  const names = (values: readonly number[]) =>
    renderToStaticMarkup(
      <ChartNotes geometry={geometry} marks={[]} guides={values.map((y) => ({ y, label: "start" }))} />,
    ).match(/start</g)?.length;
  expect(names([0.5, -0.5])).toBe(2);
  expect(names([0.5, 0.52])).toBe(1);
});

test("pixels and places are each other's inverse", () => {
  expect(placeAt(geometry, pixelX(geometry, 7))).toBeCloseTo(7, 9);
  expect(placeAt(geometry, -50)).toBe(0);
  expect(pixelY(geometry, 0)).toBeCloseTo(geometry.top + geometry.plotHeight / 2, 9);
  expect(pixelY(geometry, 1)).toBeCloseTo(geometry.top, 9);
});
