import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkGreedy, greedyCases } from "../testing/greedyChecks.ts";

beforeEach(async () => {
  await openTestDevice("webgpu");
});

describe("greedy text on WebGPU", () => {
  it.each(greedyCases)("is that of whole passes: $name, $layers layers", { timeout: 60_000 }, (testCase) =>
    checkGreedy(testCase),
  );
});
