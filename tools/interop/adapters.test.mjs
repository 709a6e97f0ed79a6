import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../scripts/run.mjs";

const run = promisify(execFile);
const folder = join(projectRoot, "tools", "interop");

/** Why Python cannot be asked; false where it can. */
async function whySkipped() {
  try {
    await run("python3", [join(folder, "adapters.py"), "has"]);
    return false;
  } catch (error) {
    const lines = String(error.stderr ?? error)
      .trim()
      .split("\n");
    return `Python cannot be asked: ${lines.at(-1)}`;
  }
}

test(
  "adapters and merged weights give the same logits in PEFT and transformers, and PEFT's adapters here",
  { skip: await whySkipped(), timeout: 600_000 },
  async () => {
    const { stdout } = await run("node", [join(folder, "adapters.mjs"), "--check"], { cwd: projectRoot });
    assert.ok(!stdout.includes("SKIPPED"), stdout);
  },
);
