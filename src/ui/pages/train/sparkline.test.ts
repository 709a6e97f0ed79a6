import { expect, it } from "vitest";
import { sparkline } from "./sparkline.ts";

it("draws a rise, a flat line, and nothing from too little", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([2, 2, 2])).toBe("▁▁▁");
  expect(sparkline([1])).toBe("");
});

it("averages a long series and leaves out what is not a number", () => {
  expect(sparkline([0, 0, Number.NaN, 7, 7], 2)).toBe("▁█");
});
