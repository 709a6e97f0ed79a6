import { beforeAll, describe } from "vitest";
import { openTestDevice } from "./testing.ts";
import { checkViews } from "./viewChecks.testing.ts";

beforeAll(() => openTestDevice("cpu"));

describe("a view on the cpu backend", () => {
  checkViews();
});
