import { expect, it } from "vitest";
import { RedrawPace } from "./redrawPace.ts";

function paceWith(plots: number, costMs: number): RedrawPace {
  const pace = new RedrawPace();
  for (let plot = 0; plot < plots; plot++) pace.join();
  for (let drawing = 0; drawing < 30; drawing++) pace.observe(costMs);
  return pace;
}

it("draws twice a second while a refresh of all plots is cheap", () => {
  expect(new RedrawPace().gapMs()).toBe(500);
  expect(paceWith(6, 8).gapMs()).toBe(500);
});

it("halves the rate when a refresh takes longer than 50 ms, and again where it is dearer still", () => {
  expect(paceWith(6, 10).gapMs()).toBe(1000);
  expect(paceWith(6, 40).gapMs()).toBe(2000);
  expect(paceWith(6, 500).gapMs()).toBe(4000);
});

it("forgets a single slow drawing, and counts out plots that were closed", () => {
  const pace = paceWith(5, 1);
  const leave = pace.join();
  pace.observe(900);
  expect(pace.gapMs()).toBe(500);
  leave();
  for (let drawing = 0; drawing < 30; drawing++) pace.observe(10);
  expect(pace.gapMs()).toBe(500);
});
