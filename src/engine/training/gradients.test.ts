/** Gradients of the whole model against central differences of its loss. */
import { beforeEach, describe, expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import type { Model } from "../models/decoder.ts";
import { read, write } from "../tensor/run.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { gradientsOf, lossOf, type GradientCase } from "./gradients.testing.ts";
import { createPolicy } from "./policy.ts";
import { checkSlopes } from "./slopes.testing.ts";
import { randomAdapter, tinyRun } from "./tinyRun.testing.ts";

/** Of two ways to compute the same sums. */
const SAME = 1e-5;

/** Along the whole gradient, along each parameter's own, and along a random direction of each parameter. */
async function checkGradients(testCase: GradientCase): Promise<void> {
  const { trainables } = testCase.policy;
  await checkSlopes({ trainables, gradients: await gradientsOf(testCase), loss: () => lossOf(testCase) });
}

beforeEach(() => openTestDevice("cpu"));

describe.each(["dpo", "simpo", "sft"])("%s", (method) => {
  const trainPairs = tinyPairs(3);

  it("has the gradient of its loss for adapters on all seven modules", async () => {
    const { model, dispose } = createTinyModel();
    const run = tinyRun(model, { method }, { trainPairs });
    const policy = createPolicy(model, run.config, randomAdapter(model, 2));
    await checkGradients({ run, policy });
    policy.dispose();
    dispose();
  });

  it.each([true, false])("has the gradient of its loss for every weight (tied head: %s)", async (isTied) => {
    const { model, dispose } = createTinyModel({ hasTiedEmbeddings: isTied });
    const run = tinyRun(model, { method, tuning: "full" }, { trainPairs });
    const policy = createPolicy(model, run.config);
    await shake(policy.trainables, model);
    await checkGradients({ run, policy });
    policy.dispose();
    dispose();
  });

  it.each(["lora", "full"] as const)(
    "is the same whether both answers follow one copy of their prompt or not (%s)",
    async (tuning) => {
      const { model, dispose } = createTinyModel();
      const run = tinyRun(model, { method, tuning }, { trainPairs: tinyPairs(5) });
      const policy = createPolicy(model, run.config, randomAdapter(model, 2));
      if (tuning === "full") await shake(policy.trainables, model);
      const apart = { ...run, config: { ...run.config, sharesPrompts: false } };
      const expected = await gradientsOf({ run: apart, policy });
      for (const [name, values] of await gradientsOf({ run, policy })) {
        compare(values, expected.get(name), { label: name, tolerance: SAME });
      }
      const [together, twice] = [await lossOf({ run, policy }), await lossOf({ run: apart, policy })];
      expect(Math.abs(together - twice)).toBeLessThanOrEqual(SAME * twice);
      policy.dispose();
      dispose();
    },
  );
});

/** Moves the policy away from the reference, where DPO's slope is the same for every pair. */
async function shake(trainables: GradientCase["policy"]["trainables"], model: Model): Promise<void> {
  for (const [index, { name, tensor }] of trainables.entries()) {
    const random = createRandom(100 + index);
    const values = await read(tensor);
    write(
      tensor,
      Float32Array.from(values, (value) => value + 0.05 * random.gaussian()),
    );
    expect(model.base.get(name)).not.toBe(tensor);
  }
}
