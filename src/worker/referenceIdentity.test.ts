import { expect, it } from "vitest";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { numericsOf } from "./referenceIdentity.ts";

it("tells devices apart that round otherwise, and says no more of the cpu", async () => {
  const { report } = await openTestDevice("cpu");
  const gpu = { vendor: "apple", architecture: "metal-3", description: "", isFallbackAdapter: false };
  const named = (changes: object) =>
    numericsOf({ backend: "webgpu", report: { ...report, ...gpu, ...changes } });
  expect(named({})).toBe("webgpu apple metal-3 f32");
  expect(named({ vendor: "google", architecture: "swiftshader", isFallbackAdapter: true })).toBe(
    "webgpu google swiftshader software f32",
  );
  expect(numericsOf({ backend: "cpu", report: { ...report, ...gpu } })).toBe("cpu f32");
});
