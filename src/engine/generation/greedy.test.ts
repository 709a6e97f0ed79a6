import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkGreedy, greedyCases } from "../testing/greedyChecks.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("greedy text", () => {
  it.each(greedyCases)("is that of whole passes: $name, $layers layers", (testCase) => checkGreedy(testCase));
});
