import { expect, it } from "vitest";
import { roomSentence } from "./stepRoom.ts";

it("says what a step holds, and why its layers are kept or computed again", () => {
  const room = { keeps: "everything", reason: "small", bytes: 38e6, layerBytes: 12e6 } as const;
  expect(roomSentence(room)).toBe(
    "A step holds 38 MB on the device; layers are kept whole, because that takes only 12 MB.",
  );
  const again = { ...room, keeps: "layerInputs", layerBytes: 1.2e9 } as const;
  expect(roomSentence({ ...again, reason: "large" })).toContain(
    "; layers are computed again, because kept whole they would take 1,200 MB.",
  );
  expect(roomSentence({ ...again, reason: "noRoom" })).toContain("had no room for the 1,200 MB");
  expect(roomSentence({ ...again, reason: "asked" })).toContain("because the setup asks for it.");
});

it("gives no figure where nothing is held between steps", () => {
  expect(roomSentence({ keeps: "everything", reason: "small", bytes: 0, layerBytes: 2_740_000 })).toBe(
    "Layers are kept whole, because that takes only 2.7 MB.",
  );
});
