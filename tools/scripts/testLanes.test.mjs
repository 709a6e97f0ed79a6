import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countPlaywright, countTap, countVitest, reconcile } from "./testLanes.mjs";

describe("counts of a lane", () => {
  it("add a Vitest file that could not be loaded to its failed tests", () => {
    const report = {
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 0,
      testResults: [
        { status: "passed", assertionResults: [{ status: "passed" }] },
        { status: "failed", assertionResults: [{ status: "failed" }] },
        { status: "failed", assertionResults: [] },
      ],
    };
    assert.deepEqual(countVitest(report), { passed: 5, failed: 2, skipped: 2 });
  });

  it("take a flaky journey and an error outside of any for failed", () => {
    const stats = { expected: 3, unexpected: 1, flaky: 1, skipped: 4 };
    assert.deepEqual(countPlaywright({ stats, errors: [{}] }), { passed: 3, failed: 3, skipped: 4 });
  });

  it("read the summary of a TAP report", () => {
    const report = "1..9\n# tests 9\n# pass 5\n# fail 1\n# cancelled 2\n# skipped 1\n# todo 0\n";
    assert.deepEqual(countTap(report), { passed: 5, failed: 3, skipped: 1 });
  });
});

describe("reconcile", () => {
  it("counts a lane that broke, or that ran nothing, as one failure", () => {
    assert.equal(reconcile(1, { passed: 4, failed: 0 }).failed, 1);
    assert.equal(reconcile(0, { passed: 0, failed: 0 }).failed, 1);
    assert.equal(reconcile(1, undefined).failed, 1);
  });

  it("believes a report that agrees with the exit code", () => {
    assert.deepEqual(reconcile(0, { passed: 4, failed: 0, skipped: 1 }), {
      passed: 4,
      failed: 0,
      skipped: 1,
    });
    assert.equal(reconcile(1, { passed: 4, failed: 3 }).failed, 3);
  });
});
