import { expect, it } from "vitest";
import { changeCsv } from "./changeCsv.ts";
import { testAnswers } from "./testTrainer.ts";

it("writes every feature unrounded, in the report's order", () => {
  const [head, first, second, end] = changeCsv(testAnswers.changeReport, {}).split("\n");
  expect(head).toBe("feature,name,before,after,change,chosen_change,rejected_change,p_value,is_finding");
  expect(first).toBe(`0,"laughed",0.2,0.8,${0.8 - 0.2},0.9,0.3,0.0005,true`);
  expect(second).toBe(`1,"cried",0.25,0.24,${0.24 - 0.25},0,-0.02,0.6,false`);
  expect(end).toBe("");
});

it("quotes names, and marks as text what a spreadsheet would compute", () => {
  const text = changeCsv(testAnswers.changeReport, { 0: 'says "ha", twice', 1: "=1+1" });
  expect(text).toContain('0,"says ""ha"", twice",');
  expect(text).toContain('1,"\'=1+1",');
});
