/** Makes sure that the right Node runs and that node_modules is what package-lock.json says. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot, run } from "./run.mjs";

/** The sentence to show when this Node is too old for the build tools, or undefined when it will do. */
export function nodeComplaint(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const isEnough = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  if (isEnough) return undefined;
  return `Prefscope needs Node 20.19 or newer (of Node 22: 22.12 or newer), and this is Node ${version}: install a current one from https://nodejs.org and try again.`;
}

/**
 * Whether the installed packages are those of the lock file.
 * Both arguments are parsed: package-lock.json and npm's own record of what it installed.
 */
export function isInstallCurrent(lock, installed) {
  const wanted = Object.entries(lock.packages ?? {}).filter(([path]) => path !== "");
  const present = installed?.packages ?? {};
  const isSatisfied = wanted.every(([path, entry]) => {
    const found = present[path];
    // npm leaves out optional packages that are made for another platform.
    if (!found) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
  return isSatisfied && Object.keys(present).every((path) => lock.packages?.[path] !== undefined);
}

async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Installs the locked packages when they are missing or stale; throws one sentence when that fails. */
export async function ensureInstalled() {
  const complaint = nodeComplaint(process.version);
  if (complaint) throw new Error(complaint);
  const lock = await readJson(join(projectRoot, "package-lock.json"));
  if (!lock) throw new Error("package-lock.json is missing or unreadable: restore it from the repository.");
  const installed = await readJson(join(projectRoot, "node_modules", ".package-lock.json"));
  if (isInstallCurrent(lock, installed)) return;
  console.log("Installing the packages of package-lock.json (npm ci) …");
  const { code } = await run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund"]);
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}: its messages above say why.`);
}
