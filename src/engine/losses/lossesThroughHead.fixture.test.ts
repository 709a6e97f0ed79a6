import { afterAll, beforeAll, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures } from "../testing/fixtures.ts";
import { fixtureCases, fixtureNames, readLossFixture } from "./fixtureFile.testing.ts";
import { checkHead, openFixtureHead, type FixtureHead } from "./fixtureHead.testing.ts";

const tolerances = { losses: 1e-5, gradients: 1e-4 };

describe.skipIf(!hasFixtures).each(fixtureNames)(
  "loss fixture %s through the head on the cpu backend",
  (name) => {
    let head: FixtureHead;
    beforeAll(async () => {
      await openTestDevice("cpu");
      head = await openFixtureHead(await readLossFixture(name));
    });
    afterAll(() => {
      head.dispose();
    });

    it.each(Object.keys(fixtureCases))("%s", async (key) => {
      await checkHead(head, key, tolerances);
    });
  },
);
