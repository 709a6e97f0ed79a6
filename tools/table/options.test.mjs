import assert from "node:assert/strict";
import { test } from "node:test";
import { readTableOptions, tableHelp } from "./options.mjs";

const start = { seeds: 5, steps: 40, pages: 2, backend: "cpu" };
const tables = {
  objectives: { start, parts: ["sft", "dpo", "tdpo2"] },
  fpo: { start: { ...start, steps: 24 }, parts: ["methods", "cost"] },
};
const read = (line) => readTableOptions(line.split(" ").filter(Boolean), tables);

test("what is not asked for stays as it was", () => {
  assert.deepEqual(read("objectives"), {
    ...start,
    table: "objectives",
    parts: tables.objectives.parts,
    isPart: false,
  });
  assert.equal(read("fpo").steps, 24);
});

test("parts keep the table's order, and some of them are not the whole", () => {
  const options = read("objectives --only tdpo2,dpo --seeds=3 --backend webgpu");
  assert.deepEqual(options.parts, ["dpo", "tdpo2"]);
  assert.equal(options.isPart, true);
  assert.equal(options.seeds, 3);
  assert.equal(options.backend, "webgpu");
  assert.equal(read("objectives --only sft,dpo,tdpo2").isPart, false);
  assert.deepEqual(read("fpo --only cost").parts, ["cost"]);
});

test("every mistake is a sentence", () => {
  assert.throws(() => read("losses"), /There is no table losses/);
  assert.throws(() => read("toString"), /There is no table toString/);
  assert.throws(() => read("objectives --colour blue"), /--colour is not an option/);
  assert.throws(() => read("objectives --seeds 1"), /from 2 to 50/);
  assert.throws(() => read("objectives --seeds"), /needs a value/);
  assert.throws(() => read("objectives --only dpo,ppo"), /--only is dpo,ppo: give some of sft,dpo,tdpo2/);
  assert.throws(() => read("fpo --only dpo"), /--only is dpo: give some of methods,cost/);
  assert.throws(() => read("objectives --backend tpu"), /--backend is tpu/);
});

test("help names every table and every option", () => {
  assert.equal(read("").isHelp, true);
  assert.match(tableHelp(tables), /table -- objectives\n  npm run table -- fpo\n/);
  for (const name of ["seeds", "steps", "pages", "backend", "only"])
    assert.match(tableHelp(tables), new RegExp(`--${name}`));
  assert.match(tableHelp(tables), /every run; otherwise 40 \(objectives\), 24 \(fpo\)/);
  assert.match(tableHelp(tables), /same time; otherwise 2\n/);
});
