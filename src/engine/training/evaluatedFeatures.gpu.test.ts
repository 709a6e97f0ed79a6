import { beforeAll, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkEvaluatedFeatures } from "./evaluatedFeatures.testing.ts";

beforeAll(async () => {
  await openTestDevice();
});

it.each([
  ["dpo", [0, 1], 17],
  ["fpo", [0, 1], 17],
] as const)("evaluates the features of plain loops: %s, layers %j", (method, layers, topK) =>
  checkEvaluatedFeatures(method, { layers, topK, tolerance: 1e-4 }),
);
