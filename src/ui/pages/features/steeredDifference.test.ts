import * as fc from "fast-check";
import { expect, it } from "vitest";
import { partTexts } from "./steeredDifference.ts";

it("parts two texts at the first word that differs, spaces kept", () => {
  expect(partTexts(" She looked and cried.", " She looked and  laughed out.")).toEqual([
    { shared: " She looked and", own: " cried." },
    { shared: " She looked and", own: "  laughed out." },
  ]);
  expect(partTexts("cried", "cries")[0]).toEqual({ shared: "", own: "cried" });
  expect(partTexts("the end", "the end. More")[0].own).toBe(" end");
});

it("loses nothing of either text, and shares all of equal ones", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (first, second) => {
      const [left, right] = partTexts(first, second);
      expect(left.shared + left.own).toBe(first);
      expect(right.shared + right.own).toBe(second);
      expect(left.shared).toBe(right.shared);
      expect(partTexts(first, first)[1].own).toBe("");
    }),
  );
});
