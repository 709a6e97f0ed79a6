import { expect, it } from "vitest";
import type { ReferenceEvent } from "../worker/protocol.ts";
import { referenceLine } from "./referenceLine.ts";

const event: ReferenceEvent = {
  type: "reference",
  status: "reused",
  reason: "",
  pairs: 1512,
  bytes: 48_200,
  ms: 9040,
};

it("says what happened to the reference's numbers, why, and what it costs", () => {
  expect(referenceLine(event)).toEqual({
    level: "info",
    code: null,
    message: "Reference values of 1,512 pairs were reused (48.2 kB), which saves 9.0 s.",
  });
  expect(referenceLine({ ...event, status: "computed", pairs: 1, bytes: 4e7, ms: 3 }).message).toBe(
    "Reference values of 1 pair were computed in less than 0.1 s; all of them take 40.0 MB.",
  );
  expect(referenceLine({ ...event, status: "stale", reason: "the chat template" })).toEqual({
    level: "warning",
    code: "DAT-3",
    message:
      "Reference values of 1,512 pairs were kept for other circumstances: the chat template changed. They are computed again, which took 9.0 s then.",
  });
  expect(referenceLine({ ...event, status: "damaged", reason: "It is cut off." })).toEqual({
    level: "warning",
    code: "DAT-3",
    message: "It is cut off.",
  });
  expect(referenceLine({ ...event, status: "notKept", reason: "Browser storage is full." })).toEqual({
    level: "warning",
    code: null,
    message: "Reference values of 1,512 pairs are not kept for the next visit. Browser storage is full.",
  });
});
