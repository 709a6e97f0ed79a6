import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures } from "../testing/fixtures.ts";
import {
  checkStoriesContinuations,
  checkStoriesForward,
  checkStoriesGreedy,
} from "../testing/storiesChecks.ts";

/** Tokens of greedy text that are compared. */
const KNOWN_TOKENS = 64;

describe.skipIf(!hasFixtures)("the decoder on the cpu equals the float64 reference", () => {
  beforeEach(async () => {
    await openTestDevice("cpu");
  });

  it("after every layer and in its logits", { timeout: 60_000 }, () => checkStoriesForward());

  it("in every token of two continuations", { timeout: 60_000 }, () => checkStoriesContinuations());

  it("in the text it writes without chance", { timeout: 60_000 }, () => checkStoriesGreedy(KNOWN_TOKENS));
});
