import { beforeAll, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkPoolInvariance } from "./poolInvariance.testing.ts";

beforeAll(async () => {
  await openTestDevice("cpu");
});

it.each([64, 37])("a pair has the same features alone and in any batch, from streams of %i", (inputSize) =>
  checkPoolInvariance(inputSize, true),
);
