/** Builds the site into dist/, and knows whether dist/ is still what the sources would give. */
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureInstalled } from "./install.mjs";
import { projectRoot, run, runScript } from "./run.mjs";

/** The folder that the built site lies in. */
export const distFolder = join(projectRoot, "dist");

const stampFile = join(distFolder, ".inputs-sha256");
const inputs = ["index.html", "package-lock.json", "public", "src", "tsconfig.json", "vite.config.ts"];

async function inputFiles() {
  const files = /** @type {string[]} */ ([]);
  for (const input of inputs) {
    const path = join(projectRoot, input);
    if (input.includes(".")) files.push(path);
    else
      for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
        if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
          files.push(join(entry.parentPath, entry.name));
  }
  return files.toSorted();
}

async function hashInputs() {
  const hash = createHash("sha256");
  for (const file of await inputFiles()) hash.update(`${file}\0`).update(await readFile(file));
  return hash.digest("hex");
}

/** Builds the site and remembers what it was built from; throws one sentence when the build fails. */
export async function build() {
  const stamp = await hashInputs();
  // A script that has opened Vite itself carries its development mode, which would be built into the page.
  const { code } = await run("vite", ["build"], { env: { NODE_ENV: "production" } });
  if (code !== 0) throw new Error(`The build failed with exit code ${code}: its messages above say why.`);
  await writeFile(stampFile, stamp);
}

/** Builds the site only when a source has changed since the last build. */
export async function buildIfStale() {
  const stamp = await readFile(stampFile, "utf8").catch(() => "");
  if (stamp === (await hashInputs())) return;
  await build();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runScript(async () => {
    await ensureInstalled();
    await build();
  });
}
