/** Fused layers on WebGPU against the same on the cpu backend, whose own oracle is the tape. */
import { describe, expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { passCases } from "../training/passCases.testing.ts";
import { expectAgreement, passResults } from "../training/passResults.testing.ts";
import { fusedPass } from "./fusedPass.ts";

const TOLERANCE = 1e-4;
/** A norm that adds an adapter's share first reads single numbers unless its rank is a multiple of this. */
const VECTOR = 4;
/** Then a norm that is computed again from the sum adds its squares in another order. */
const ROUNDING = 1e-5;

describe.each(passCases)("fused layers with $name", (testCase) => {
  it(
    "compute on WebGPU what they compute on the cpu, keeping layers whole or not",
    { timeout: 60_000 },
    async () => {
      await openTestDevice("cpu");
      const expected = await passResults(fusedPass, testCase);
      const device = await openTestDevice("webgpu");
      const before = device.counters().dispatches;
      const actual = await passResults(fusedPass, testCase);
      expect(device.counters().dispatches).toBeGreaterThan(before);
      expectAgreement(actual, expected, TOLERANCE);
      const again = await passResults(fusedPass, testCase, "everything");
      expectAgreement(again, actual, (testCase.policy?.loraRank ?? 8) % VECTOR === 0 ? 0 : ROUNDING);
    },
  );
});
