/** Runs of a table that are kept on disk: what was trained once is not trained again. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../scripts/run.mjs";

/** What a run's numbers come from, beside its settings. */
const sources = ["package-lock.json", "public", "src/engine", "src/state/automation.ts", "src/worker"];
const isComputed = (name) =>
  /\.(ts|json|jsonl|safetensors)$/.test(name) && !/\.(test|testing)\.ts$/.test(name);
const keyLength = 24;

/** A fingerprint of the weights, the pairs and the code that a run's numbers come from. */
export async function hashSources() {
  const files = [];
  for (const source of sources) {
    const path = join(projectRoot, source);
    if (isComputed(source)) files.push(path);
    else
      for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
        if (entry.isFile() && isComputed(entry.name)) files.push(join(entry.parentPath, entry.name));
  }
  const hash = createHash("sha256");
  for (const file of files.toSorted())
    hash.update(`${file.slice(projectRoot.length)}\0`).update(await readFile(file));
  return hash.digest("hex");
}

/** The name of what comes of `subject`; the order of its fields does not matter. */
function keyOf(subject) {
  const sorted = (_, value) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(subject, sorted)).digest("hex").slice(0, keyLength);
}

/** Opens the records in `folder` that belong to `version`; whatever has another version stays where it is. */
export function openRunCache(folder, version) {
  const fileOf = (subject) => join(folder, `${keyOf({ version, subject })}.json`);
  return {
    /** The record of `subject`: from disk, or from `make`, whose answer is kept before it is given. */
    get: async (subject, make) => {
      const file = fileOf(subject);
      const known = await readFile(file, "utf8").catch(() => null);
      if (known !== null) return { record: JSON.parse(known), isKept: true };
      const text = JSON.stringify(await make());
      await mkdir(folder, { recursive: true });
      // Moved into place at once, so that a table that is killed never leaves half of a record.
      const unfinished = `${file}.${randomUUID()}`;
      await writeFile(unfinished, text);
      await rename(unfinished, file);
      return { record: JSON.parse(text), isKept: false };
    },
  };
}

/** Gives every job to the next worker that is free, in order; resolves to the answers in the order of the jobs. */
export async function shareOut(jobs, workers, work) {
  const answers = [];
  let next = 0;
  const serve = async (worker) => {
    while (next < jobs.length) {
      const index = next++;
      answers[index] = await work(jobs[index], worker);
    }
  };
  await Promise.all(workers.map(serve));
  return answers;
}
