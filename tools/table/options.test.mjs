import assert from "node:assert/strict";
import { test } from "node:test";
import { readTableOptions, tableHelp } from "./options.mjs";

const start = { seeds: 5, steps: 40, pages: 2, backend: "cpu", methods: ["sft", "dpo", "tdpo2"] };
const read = (line) => readTableOptions(line.split(" ").filter(Boolean), start);

test("what is not asked for stays as it was", () => {
  assert.deepEqual(read("objectives"), { ...start, table: "objectives", isPart: false });
});

test("methods keep the table's order, and some of them are a part", () => {
  const options = read("objectives --only tdpo2,dpo --seeds=3 --backend webgpu");
  assert.deepEqual(options.methods, ["dpo", "tdpo2"]);
  assert.equal(options.isPart, true);
  assert.equal(options.seeds, 3);
  assert.equal(options.backend, "webgpu");
  assert.equal(read("objectives --only sft,dpo,tdpo2").isPart, false);
});

test("every mistake is a sentence", () => {
  assert.throws(() => read("losses"), /There is no table losses/);
  assert.throws(() => read("objectives --colour blue"), /--colour is not an option/);
  assert.throws(() => read("objectives --seeds 1"), /from 2 to 50/);
  assert.throws(() => read("objectives --seeds"), /needs a value/);
  assert.throws(() => read("objectives --only dpo,ppo"), /--only is dpo,ppo: give some of sft,dpo,tdpo2/);
  assert.throws(() => read("objectives --backend tpu"), /--backend is tpu/);
});

test("help names every option", () => {
  assert.equal(read("").isHelp, true);
  for (const name of ["seeds", "steps", "pages", "backend", "only"])
    assert.match(tableHelp(start), new RegExp(`--${name}`));
});
