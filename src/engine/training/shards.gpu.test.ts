import { expect, it } from "vitest";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { shardedPair, shardedRun } from "./shards.testing.ts";
import { follow, lastOf } from "./tinyRun.testing.ts";

it("trains a step over shards on WebGPU as over whole matrices", { timeout: 120_000 }, async () => {
  await openTestDevice("webgpu");
  const { whole, sharded, dispose } = shardedPair(true);
  const expected = lastOf(await follow(shardedRun(whole, 1)));
  const actual = lastOf(await follow(shardedRun(sharded, 1)));
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    compare(actual[name] ?? new Float32Array(), values, { label: name, tolerance: 1e-4 });
  }
  dispose();
});
