/**
 * Gradients of a whole model against central differences of its loss.
 *
 * The loss is computed in float64 from log-probs in float32. A log-prob of about −4 is rounded by 2e-7, and rounding
 * on the way through the layers adds a few times that, so a mean over about 30 tokens carries a noise n of about 1e-6.
 * Along a unit direction with slope s take the step h = c/s, over which the loss changes by c: noise makes the
 * difference quotient (L(+h) − L(−h)) / 2h wrong by the share n/c. A model that bends over the distance 1/s has
 * L''' = k·s³, which makes it wrong by the share h²·L'''/6s = k·c²/6. With k about 10 the sum is least near
 * c = ∛(3n/k), about 0.007; there noise and curvature are both about 1e-4 of s. In flat directions the step is bounded,
 * so that parameters of about 0.2 stay where they are; then noise is at most n/h.
 */
import { expect } from "vitest";
import type { Trainable } from "../adapters/parameters.ts";
import { createRandom } from "../data/random.ts";
import { read, write } from "../tensor/run.ts";

const NOISE = 1e-6;
const LOSS_CHANGE = 0.007;
const LONGEST_STEP = 0.05;
const TOLERANCE = 1e-3;

/** Parameters on the device, the gradients that are claimed of them by their names, and the loss as they stand. */
export interface SlopeCase {
  readonly trainables: readonly Trainable[];
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly loss: () => Promise<number>;
  /** By how much a difference changes the loss; less where the loss bends more and is less noisy. */
  readonly lossChange?: number;
}

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
async function slopeAlong(testCase: SlopeCase, direction: Direction, scale: number): Promise<number> {
  const step = Math.min(LONGEST_STEP, (testCase.lossChange ?? LOSS_CHANGE) / scale);
  const targets = testCase.trainables.filter(({ name }) => direction.has(name));
  const originals = await Promise.all(targets.map(({ tensor }) => read(tensor)));
  const lossAt = async (distance: number) => {
    targets.forEach(({ name, tensor }, index) => {
      const change = direction.get(name);
      const moved = originals[index]?.map((value, place) => value + distance * (change?.[place] ?? NaN));
      write(tensor, Float32Array.from(moved ?? []));
    });
    return testCase.loss();
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
export async function checkSlopes(testCase: SlopeCase): Promise<void> {
  const { gradients } = testCase;
  const gradient: Direction = new Map(
    [...gradients].map(([name, values]) => [name, Float64Array.from(values)]),
  );
  expect([...gradient.keys()].toSorted()).toEqual(testCase.trainables.map(({ name }) => name).toSorted());
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
