import { expect, it } from "vitest";
import { StepClock } from "./timing.ts";

const record = (step: number, activeMs: number) => ({ step, activeMs, metrics: {} });

it("says nothing before ten steps and five seconds", () => {
  const clock = new StepClock();
  for (let step = 1; step <= 9; step++) clock.observe(record(step, step * 1000));
  expect(clock.secondsPerStep()).toBeNull();
  clock.observe(record(10, 10_000));
  expect(clock.secondsPerStep()).toBeCloseTo(1);

  const fast = new StepClock();
  for (let step = 1; step <= 40; step++) fast.observe(record(step, step * 100));
  expect(fast.secondsPerStep()).toBeNull();
  expect(fast.stepsPerSecond()).toBeCloseTo(10);
});

it("leaves out the first step, which pays for one-off work", () => {
  const clock = new StepClock();
  clock.observe(record(1, 60_000));
  for (let step = 2; step <= 12; step++) clock.observe(record(step, 60_000 + (step - 1) * 500));
  expect(clock.secondsPerStep()).toBeCloseTo(0.5);
});

it("does not time the jump back to a checkpoint", () => {
  const clock = new StepClock();
  for (let step = 1; step <= 12; step++) clock.observe(record(step, step * 1000));
  clock.observe(record(9, 60_000));
  clock.observe(record(10, 61_000));
  expect(clock.secondsPerStep()).toBeCloseTo(1);
});
