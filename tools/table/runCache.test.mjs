import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hashSources, openRunCache, shareOut } from "./runCache.mjs";

async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), "prefscope-table-test-"));
  try {
    await work(join(folder, "cache"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("a table that is started again", () => {
  test("trains only what was not trained before", () =>
    inFolder(async (folder) => {
      const trained = [];
      const table = (seeds, version = "engine-1") =>
        Promise.all(
          seeds.map((seed) =>
            openRunCache(folder, version).get({ method: "dpo", seed }, async () => {
              trained.push(seed);
              return { seed, judge: seed / 10 };
            }),
          ),
        );
      await table([1, 2]);
      const again = await table([1, 2, 3]);
      assert.deepEqual(trained, [1, 2, 3]);
      assert.deepEqual(
        again.map(({ isKept }) => isKept),
        [true, true, false],
      );
      assert.deepEqual(again[1].record, { seed: 2, judge: 0.2 });
      await table([1], "engine-2");
      assert.deepEqual(trained, [1, 2, 3, 1]);
    }));

  test("keeps nothing of a run that failed", () =>
    inFolder(async (folder) => {
      const cache = openRunCache(folder, "engine-1");
      const fail = () => Promise.reject(new Error("killed"));
      await assert.rejects(cache.get({ seed: 1 }, fail), /killed/);
      const { isKept } = await cache.get({ seed: 1 }, async () => ({}));
      assert.equal(isKept, false);
      assert.equal((await readdir(folder)).length, 1);
    }));

  test("tells settings apart by their values, not by their order", () =>
    inFolder(async (folder) => {
      const cache = openRunCache(folder, "engine-1");
      await cache.get({ rate: 1, params: { a: 1, b: 2 } }, async () => ({ n: 1 }));
      const same = await cache.get({ params: { b: 2, a: 1 }, rate: 1 }, async () => ({ n: 2 }));
      const other = await cache.get({ params: { b: 2, a: 2 }, rate: 1 }, async () => ({ n: 3 }));
      assert.equal(same.record.n, 1);
      assert.equal(other.record.n, 3);
    }));
});

test("the fingerprint of the sources is the same twice", async () => {
  const hash = await hashSources();
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(await hashSources(), hash);
});

test("jobs are shared out in order and every worker has one at a time", async () => {
  const busy = new Set();
  const order = [];
  const answers = await shareOut([5, 1, 1, 1], ["a", "b"], async (turns, worker) => {
    assert.ok(!busy.has(worker));
    busy.add(worker);
    order.push(worker);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    busy.delete(worker);
    return turns * 10;
  });
  assert.deepEqual(answers, [50, 10, 10, 10]);
  assert.deepEqual(order.slice(0, 2), ["a", "b"]);
});
