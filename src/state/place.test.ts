import { expect, it } from "vitest";
import { addressOf, readPlace, type Place } from "./place.ts";

const link = "#/train?preset=tiny-dpo&seed=7&v=1";
const feature: Place = {
  screen: "features",
  tabs: { features: "changes", online: "rounds", data: "sources" },
  feature: 812,
};

it("adds the place to the settings of a link and takes it out again", () => {
  const address = addressOf(feature, link);
  expect(address).toBe("#/features?view=changes&feature=812&preset=tiny-dpo&seed=7&v=1");
  expect(readPlace(address)).toEqual(feature);
  expect(addressOf({ ...feature, screen: "train" }, address)).toBe(link);
  expect(addressOf({ ...feature, feature: 5 }, address)).toContain("feature=5&preset");
});

it("starts on the Train screen where an address says nothing, or nothing that is known", () => {
  const start = {
    screen: "train",
    tabs: { features: "feature", online: "rounds", data: "sources" },
    feature: null,
  };
  for (const hash of ["", "#/", "#/elsewhere?view=nothing&feature=x", "#/train?preset=tiny-dpo", "#live"]) {
    expect(readPlace(hash)).toEqual(start);
  }
  expect(readPlace("#/features?feature=-1").feature).toBeNull();
});

it("keeps the tabs of two screens apart", () => {
  const health = readPlace("#/data?view=health");
  expect(health).toEqual({
    screen: "data",
    tabs: { features: "feature", online: "rounds", data: "health" },
    feature: null,
  });
  expect(addressOf({ ...health, feature: 5 }, link)).toBe("#/data?view=health&preset=tiny-dpo&seed=7&v=1");
  // A tab of the one screen is none of the other.
  expect(readPlace("#/data?view=held").tabs.data).toBe("sources");
});
