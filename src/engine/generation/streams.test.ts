import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkStreams } from "./streams.testing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("streams", () => {
  it.each([0, 1])(
    "give a prompt its answer in any order and part of the list, at temperature %s",
    (temperature) => checkStreams(temperature),
  );
});
