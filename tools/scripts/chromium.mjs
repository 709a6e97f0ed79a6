/** Finds a Chromium for the tests and the command line, and knows how to start it with WebGPU. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { platform } from "node:process";
import { projectRoot } from "./run.mjs";

const softwareGpuArgs = [
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--use-angle=swiftshader",
];

// A browser that is being tested talks to nobody but the page's own server.
const quietArgs = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/**
 * Launch arguments that give a page WebGPU.
 * The default is SwiftShader, the same software adapter on every machine; PREFSCOPE_GPU=real leaves the
 * choice of the adapter to the browser.
 */
export function chromiumArgs(gpu = process.env.PREFSCOPE_GPU) {
  const realGpuArgs = platform === "linux" ? ["--enable-features=Vulkan", "--ignore-gpu-blocklist"] : [];
  const adapterArgs = gpu === "real" ? realGpuArgs : softwareGpuArgs;
  return ["--no-sandbox", "--enable-unsafe-webgpu", ...adapterArgs, ...quietArgs];
}

const systemChromiums = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "microsoft-edge",
  "microsoft-edge-stable",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];

/** Path of a command that starts and prints a browser's version, or undefined. */
function workingBrowser(command) {
  const versionTimeoutMs = 20_000;
  const located = command.includes("/")
    ? command
    : execute("sh", ["-c", `command -v ${command}`]).stdout.trim();
  if (!located) return undefined;
  const version = execute(located, ["--version"], { timeout: versionTimeoutMs });
  return version.status === 0 && /\d+\.\d+/.test(version.stdout) ? located : undefined;
}

function execute(command, args, options = {}) {
  return spawnSync(command, args, { encoding: "utf8", cwd: projectRoot, ...options });
}

/** The words to put before a command that must run as root, or undefined where that is not possible. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return execute("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : undefined;
}

function isDebian() {
  try {
    // Ubuntu's package of this name only points to a snap, which rarely works on a server.
    return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

/** Installs Debian's Chromium where that is possible without asking for a password. */
function installDebianPackage() {
  const prefix = isDebian() ? rootPrefix() : undefined;
  if (!prefix) return undefined;
  console.log("No Chromium found: installing Debian's package …");
  const aptGet = (...args) => {
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    return execute(command, rest, { stdio: ["ignore", "ignore", "inherit"] });
  };
  aptGet("update", "-qq");
  aptGet("install", "-y", "-qq", "--no-install-recommends", "chromium");
  return workingBrowser("chromium");
}

async function playwrightBrowser() {
  const { chromium } = await import("playwright-core");
  return workingBrowser(chromium.executablePath());
}

/** Downloads Playwright's Chromium, with its system libraries where they may be installed. */
async function installPlaywrightBrowser() {
  console.log("No Chromium found: downloading Playwright's …");
  const canInstallLibraries = platform === "linux" && rootPrefix() !== undefined;
  const args = ["install", "--no-shell", ...(canInstallLibraries ? ["--with-deps"] : []), "chromium"];
  execute("node", ["node_modules/playwright-core/cli.js", ...args], { stdio: "inherit" });
  return playwrightBrowser();
}

/**
 * Path of a Chromium that starts: CHROMIUM_PATH, the system's, one that Playwright has already downloaded,
 * Debian's package, Playwright's download. Throws one sentence when none can be had.
 */
export async function findChromium() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen) {
    const found = workingBrowser(chosen);
    if (found) return found;
    throw new Error(`CHROMIUM_PATH is ${chosen}, which does not start: set it to a Chromium or unset it.`);
  }
  for (const candidate of systemChromiums) {
    const found = workingBrowser(candidate);
    if (found) return found;
  }
  const found = (await playwrightBrowser()) ?? installDebianPackage() ?? (await installPlaywrightBrowser());
  if (found) return found;
  throw new Error(
    "No Chromium could be found, installed or downloaded: install Chromium or Chrome, or set CHROMIUM_PATH to one, and try again.",
  );
}
