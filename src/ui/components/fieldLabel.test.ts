import { expect, it } from "vitest";
import { testDescription } from "../../state/testDescription.ts";
import { fieldLabel, fieldValue } from "./fieldLabel.ts";

it("names knobs as their methods do, and those of the second method apart", () => {
  const label = (field: string) => fieldLabel(field, testDescription);
  expect(label("params.gamma")).toBe("γ");
  expect(label("params.second.gamma")).toBe("Second γ");
  expect(label("params.unknown")).toBe("unknown");
  expect(label("steps")).toBe("Steps");
  expect(label("judges.0.weight")).toBe("Judges in use");
});

it("writes the choice of a knob as its name, and a number as a number", () => {
  const value = (field: string, at: number | undefined) => fieldValue(field, at, testDescription);
  expect(value("params.weighting", 1)).toBe("judge's gap");
  expect(value("params.second.weighting", 0)).toBe("none");
  expect(value("params.gamma", 1)).toBe("1");
  // A method without the knob.
  expect(value("params.weighting", undefined)).toBe("–");
  expect(fieldValue("method", "tdpo2", testDescription)).toBe("TDPO-2");
});

it("writes judges by their names and weights, and none as those of the set", () => {
  const value = (field: string, at: Parameters<typeof fieldValue>[1]) =>
    fieldValue(field, at, testDescription);
  expect(value("judges", [])).toBe("the set’s own");
  expect(value("judges", [{ judge: { kind: "length", words: 20 }, weight: -0.5 }])).toBe(
    "Near 20 words × -0.5",
  );
  expect(value("heldoutJudge", null)).toBe("the set’s own");
  expect(value("heldoutJudge", { kind: "pattern", pattern: "^a" })).toBe("Matches ^a");
});
