import { beforeAll, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkPoolInvariance } from "./poolInvariance.testing.ts";

describe.each([true, false])("a pair on WebGPU, without barriers: %s", (isSerial) => {
  beforeAll(async () => {
    await openTestDevice("webgpu");
  });

  it.each([64, 37])("has the same features alone and in any batch, from streams of %i", (inputSize) =>
    checkPoolInvariance(inputSize, isSerial),
  );
});
