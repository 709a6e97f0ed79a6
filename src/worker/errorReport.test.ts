import { expect, it } from "vitest";
import { WeightTooLargeError } from "../engine/models/parcels.ts";
import { reportError } from "./errorReport.ts";

it("says of a matrix that the device cannot bind that it needs a larger buffer", () => {
  const { code, message, details } = reportError(new WeightTooLargeError("It takes 302 MB."));
  expect({ code, message, details }).toEqual({
    code: "GPU-5",
    message: "It takes 302 MB.",
    details: { part: "weights" },
  });
});
