/** `npm run table -- NAME`: trains every method with several seeds and writes one page of tables. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildIfStale } from "../scripts/build.mjs";
import { withBrowser } from "../scripts/driveStudio.mjs";
import { withEngine } from "../scripts/engine.mjs";
import { ensureInstalled } from "../scripts/install.mjs";
import { projectRoot, run, runScript, secondsSince } from "../scripts/run.mjs";
import { readTableOptions, tableHelp } from "./options.mjs";
import { hashSources, openRunCache } from "./runCache.mjs";
import { tables } from "./tables.mjs";

const cacheOf = (table) => join(projectRoot, "node_modules", ".cache", `prefscope-table-${table}`);
const pageOf = (table) => join(projectRoot, tables[table].file);
/** Times of runs are compared only where one call of this script trained both. */
const sitting = new Date().toISOString();
/** Failures that are a result of the training itself, and come again when the run is repeated. */
const trainingFailures = ["NUM-1", "NUM-2"];

/** The commit that is checked out, with a mark when what runs are computed from has changed since. */
async function commitNow() {
  const git = async (...args) => (await run("git", args, { quiet: true })).output.trim();
  const changes = await git("status", "--porcelain", "--", "src", "public", "package-lock.json");
  return `${await git("rev-parse", "--short=12", "HEAD")}${changes === "" ? "" : " with changes"}`;
}

/** Loads what the engine declares of all methods. */
function loadDefinitions() {
  return withEngine(async (load) => {
    const { objectives } = await load("src/engine/losses/index.ts");
    const { defaultConfig } = await load("src/engine/training/config.ts");
    return { objectives, defaultConfig };
  });
}

/** Trains on a page that is opened when the first run needs it. */
function lazyStudios(openStudio, count) {
  return Array.from({ length: count }, () => {
    let studio = null;
    return () => (studio ??= openStudio());
  });
}

/** A run's record with the commit and the sitting; a run that training itself ended is a record of that. */
async function trainRecord(studio, config, commit) {
  try {
    return { ...(await studio.train(config)), commit, sitting };
  } catch (error) {
    if (!trainingFailures.includes(error.code)) throw error;
    return { failure: { code: error.code, message: error.message }, commit, sitting };
  }
}

async function makeTable(options, openStudio) {
  const { seeds, steps, pages, backend, table, isPart } = options;
  const { objectives, defaultConfig } = await loadDefinitions();
  const [fingerprint, commit] = await Promise.all([hashSources(), commitNow()]);
  const cache = openRunCache(cacheOf(table), fingerprint);
  const { run: runTable, page, nameOf, start } = tables[table];
  const common = { defaultConfig, steps, backend };
  let done = 0;
  let total = 0;
  const announce = (count) => {
    total += count;
  };
  const train = async (config, studio) => {
    const startedAt = performance.now();
    const { record, isKept } = await cache.get({ config }, async () =>
      trainRecord(await studio(), config, commit),
    );
    const took = isKept ? "kept" : secondsSince(startedAt);
    done += 1;
    console.log(`${done}/${total} ${nameOf(config)}: ${took}`);
    return record;
  };
  const price = async (config, studio) =>
    (await cache.get({ price: config }, async () => (await studio()).preflight(config))).record;
  const workers = lazyStudios(openStudio, pages);
  const wanted = options.parts;
  const found = await runTable({ objectives, parts: wanted, workers, common, seeds, train, price, announce });
  const asked = Object.entries({ seeds, steps, backend })
    .filter(([name, value]) => value !== start[name])
    .map(([name, value]) => ` --${name} ${value}`);
  const only = isPart ? ` --only ${wanted.join(",")}` : "";
  const command = `npm run table -- ${table}${asked.join("")}${only}`;
  return page(found, { command, common, seeds, pages, fingerprint });
}

await runScript(async () => {
  const options = readTableOptions(process.argv.slice(2), tables);
  if (options.isHelp) {
    console.log(tableHelp(tables));
    return;
  }
  await ensureInstalled();
  await buildIfStale();
  const page = await withBrowser((openStudio) => makeTable(options, openStudio));
  const pageFile = pageOf(options.table);
  const { format, resolveConfig } = await import("prettier");
  const text = await format(page, { ...(await resolveConfig(pageFile)), filepath: pageFile });
  if (options.isPart) {
    console.log(`\n${text}`);
    return;
  }
  await mkdir(dirname(pageFile), { recursive: true });
  await writeFile(pageFile, text);
  console.log(`Written: ${pageFile}`);
});
