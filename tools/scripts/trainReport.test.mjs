import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  evaluationTable,
  formatNumber,
  metricsTable,
  progressLine,
  resultJson,
  samplesText,
} from "./trainReport.mjs";

describe("progressLine", () => {
  it("fills half the bar at half the run and estimates the rest from the pace so far", () => {
    const line = progressLine({ phase: "training", step: 30, steps: 60, loss: 0.5, elapsedMs: 12_000 });
    assert.equal(line, `${"█".repeat(15)}${"░".repeat(15)} 30/60 training · loss 0.5000 · 12 s left`);
  });

  it("promises nothing before the first step and after the last", () => {
    const first = { phase: "training", step: 0, steps: 60, elapsedMs: 0 };
    assert.equal(progressLine(first), `${"░".repeat(30)} 0/60 training`);
    const last = { phase: "done", step: 60, steps: 60, elapsedMs: 9 };
    assert.equal(progressLine(last), `${"█".repeat(30)} 60/60 done`);
  });
});

describe("formatNumber", () => {
  const cases = [
    [0.123456, "0.1235"],
    [-32.243112, "-32.24"],
    [0.0002, "2.00e-4"],
    [123_456.7, "1.23e+5"],
    [0, "0"],
    [12, "12"],
    [Number.NaN, "NaN"],
    [undefined, "–"],
    [null, "–"],
  ];
  for (const [value, text] of cases)
    it(`writes ${value} as ${text}`, () => {
      assert.equal(formatNumber(value), text);
    });
});

describe("metricsTable", () => {
  const steps = Array.from({ length: 100 }, (_, index) => ({ step: index + 1, loss: 0.5 }));

  it("shows the first and the last step and leaves out columns that nobody measured", () => {
    const lines = metricsTable(steps, 5).split("\n");
    assert.deepEqual(lines[0].split(/\s+/), ["step", "loss"]);
    assert.deepEqual(
      lines.slice(1).map((line) => Number.parseInt(line)),
      [1, 26, 51, 75, 100],
    );
  });

  it("aligns its columns", () => {
    assert.equal(
      metricsTable([
        { step: 9, loss: 0.25 },
        { step: 10, loss: -0.25 },
      ]),
      "step     loss\n9      0.2500\n10    -0.2500",
    );
  });

  it("says so when there was no step", () => {
    assert.equal(metricsTable([]), "No step was taken.");
  });
});

describe("evaluationTable", () => {
  it("puts before, after and the change beside each other", () => {
    const table = evaluationTable({ eval_loss: 0.75 }, { eval_loss: 0.5, eval_new: 1 });
    const cells = table.split("\n").map((line) => line.split(/ {2,}/));
    assert.deepEqual(cells, [
      ["held-out pairs", "before", "after", "change"],
      ["eval_loss", "0.7500", "0.5000", "-0.2500"],
      ["eval_new", "–", "1", "–"],
    ]);
  });
});

describe("samplesText", () => {
  it("matches answers by prompt and mode", () => {
    const sample = (mode, text, judgeScore) => ({ prompt: "Once", mode, text, judgeScore });
    const before = [sample("seeded", "b"), sample("greedy", "sad", -1)];
    assert.equal(
      samplesText(before, [sample("greedy", " glad ", 1)]),
      "Once (greedy)\n  before: sad [judge -1]\n  now:    glad [judge 1]",
    );
  });
});

describe("resultJson", () => {
  const result = {
    elapsedMs: 5,
    config: {},
    environment: {},
    steps: [{ step: 1, values: new Float32Array([1, 2]) }],
    evaluations: [],
    evalBefore: {},
    evalAfter: {},
    samplesBefore: [],
    samplesAfter: [],
    rounds: [],
    onlineEvaluations: [],
  };

  it("writes the parts in one order, with typed arrays as lists", () => {
    const parsed = JSON.parse(resultJson(result));
    assert.equal(Object.keys(parsed)[0], "config");
    assert.deepEqual(parsed.steps, [{ step: 1, values: [1, 2] }]);
  });

  it("refuses a result that lacks a part", () => {
    assert.throws(() => resultJson({ ...result, evalAfter: undefined }), /lacks evalAfter/);
  });
});
