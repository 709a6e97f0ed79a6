/**
 * Gradients of the whole model against central differences of its loss.
 *
 * The loss is computed in float64 from log-probs in float32. A log-prob of about −4 is rounded by 2e-7, and rounding
 * on the way through the layers adds a few times that, so a mean over about 30 tokens carries a noise n of about 1e-6.
 * Along a unit direction with slope s take the step h = c/s, over which the loss changes by c: noise makes the
 * difference quotient (L(+h) − L(−h)) / 2h wrong by the share n/c. A model that bends over the distance 1/s has
 * L''' = k·s³, which makes it wrong by the share h²·L'''/6s = k·c²/6. With k about 10 the sum is least near
 * c = ∛(3n/k), about 0.007; there noise and curvature are both about 1e-4 of s. In flat directions the step is bounded,
 * so that parameters of about 0.2 stay where they are; then noise is at most n/h.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import type { Model } from "../models/decoder.ts";
import { read, write } from "../tensor/run.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { gradientsOf, lossOf, type GradientCase } from "./gradients.testing.ts";
import { createPolicy } from "./policy.ts";
import { randomAdapter, tinyRun } from "./tinyRun.testing.ts";

const NOISE = 1e-6;
const LOSS_CHANGE = 0.007;
const LONGEST_STEP = 0.05;
const TOLERANCE = 1e-3;
/** Of two ways to compute the same sums. */
const SAME = 1e-5;

/** Change of every parameter by name; missing names stay. */
type Direction = ReadonlyMap<string, Float64Array>;

const normOf = (direction: Direction) => Math.sqrt(productOf(direction, direction));

function productOf(first: Direction, second: Direction): number {
  let sum = 0;
  for (const [name, values] of first) {
    values.forEach((value, index) => {
      sum += value * (second.get(name)?.[index] ?? 0);
    });
  }
  return sum;
}

function unit(direction: Direction): Direction {
  const norm = normOf(direction);
  return new Map([...direction].map(([name, values]) => [name, values.map((value) => value / norm)]));
}

/** The slope of the loss along a unit direction, by a central difference. */
async function slopeAlong(testCase: GradientCase, direction: Direction, scale: number): Promise<number> {
  const step = Math.min(LONGEST_STEP, LOSS_CHANGE / scale);
  const targets = testCase.policy.trainables.filter(({ name }) => direction.has(name));
  const originals = await Promise.all(targets.map(({ tensor }) => read(tensor)));
  const lossAt = async (distance: number) => {
    targets.forEach(({ name, tensor }, index) => {
      const change = direction.get(name);
      const moved = originals[index]?.map((value, place) => value + distance * (change?.[place] ?? NaN));
      write(tensor, Float32Array.from(moved ?? []));
    });
    return lossOf(testCase);
  };
  const difference = (await lossAt(step)) - (await lossAt(-step));
  targets.forEach(({ tensor }, index) => {
    write(tensor, originals[index] ?? []);
  });
  return difference / (2 * step);
}

function randomLike(values: Float64Array, seed: number): Float64Array {
  const random = createRandom(seed);
  return values.map(() => random.gaussian());
}

/** Along the whole gradient, along each parameter's own, and along a random direction of each parameter. */
async function checkGradients(testCase: GradientCase): Promise<void> {
  const gradients = await gradientsOf(testCase);
  const gradient: Direction = new Map(
    [...gradients].map(([name, values]) => [name, Float64Array.from(values)]),
  );
  expect([...gradient.keys()].toSorted()).toEqual(
    testCase.policy.trainables.map(({ name }) => name).toSorted(),
  );
  const directions: [string, Direction, number][] = [["all", unit(gradient), normOf(gradient)]];
  for (const [index, [name, values]] of [...gradient].entries()) {
    const own = new Map([[name, values]]);
    const norm = normOf(own);
    expect(norm, name).toBeGreaterThan(0);
    directions.push([name, unit(own), norm]);
    directions.push([`${name} at random`, unit(new Map([[name, randomLike(values, index)]])), norm]);
  }
  for (const [name, direction, scale] of directions) {
    const expected = productOf(gradient, direction);
    const found = await slopeAlong(testCase, direction, scale);
    const error = Math.abs(found - expected);
    expect(error, `${name}: ${found} against ${expected}`).toBeLessThanOrEqual(
      TOLERANCE * scale + NOISE / LONGEST_STEP,
    );
  }
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
