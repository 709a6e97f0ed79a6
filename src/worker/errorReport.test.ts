import { expect, it } from "vitest";
import { WeightTooLargeError } from "../engine/models/stacks.ts";
import { reportError } from "./errorReport.ts";

it("says of a matrix that the device cannot bind that the model does not fit", () => {
  const { code, message, details } = reportError(new WeightTooLargeError("It takes 302 MB."));
  expect({ code, message, details }).toEqual({
    code: "MEM-1",
    message: "It takes 302 MB.",
    details: { part: "weights" },
  });
});
