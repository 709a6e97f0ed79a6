import { expect, it } from "vitest";
import { WeightTooLargeError } from "../engine/models/parcels.ts";
import { StorageError } from "../storage/fileStore.ts";
import { reportError } from "./errorReport.ts";

it("says of a matrix that the device cannot bind that it needs a larger buffer", () => {
  const { code, message, details } = reportError(new WeightTooLargeError("It takes 302 MB."));
  expect({ code, message, details }).toEqual({
    code: "GPU-5",
    message: "It takes 302 MB.",
    details: { part: "weights" },
  });
});

it("tells a storage that is full from one that the browser refuses", () => {
  const report = (isFull: boolean) =>
    reportError(new StorageError("Browser storage is full (1.9 of 2.0 GB).", { isFull, cause: null })).code;
  expect([report(true), report(false)]).toEqual(["STO-1", "RUN-1"]);
});
