/** `npm run test:fixtures`: every test that reads the fixtures, over whole trajectories. */
import { existsSync } from "node:fs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./install.mjs";
import { fixturesFolder, run, runScript } from "./run.mjs";

await runScript(async () => {
  if (!existsSync(fixturesFolder))
    throw new Error(
      `There are no fixtures at ${fixturesFolder}: set FIXTURES_DIR to the folder that holds them.`,
    );
  await ensureInstalled();
  const env = { CHROMIUM_PATH: await findChromium(), FIXTURES_DIR: fixturesFolder, FIXTURES_WHOLE: "1" };
  const { code } = await run("vitest", ["run", "--project", "fixtures", "--project", "webgpu", ".fixture."], {
    env,
  });
  return code;
});
