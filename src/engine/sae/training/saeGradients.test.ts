import { beforeAll, describe, it } from "vitest";
import { openTestDevice } from "../../tensor/testing.ts";
import { checkSaeGradients } from "./saeGradients.testing.ts";

describe("the gradients of an autoencoder's loss on the cpu", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it("are those of central differences where no feature is dead", () => checkSaeGradients([]));

  it("are those of central differences with an auxiliary loss", () => checkSaeGradients([0, 3, 8, 9]));
});
