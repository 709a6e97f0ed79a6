/** Reads reference files of the fixtures folder in tests, in Node and in the browser alike. */
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    fixturesFolder: string;
    goldenFolder: string;
    isWholeTrajectory: boolean;
  }
}

interface FileSystem {
  existsSync(path: string): boolean;
  readFileSync(path: string): Uint8Array<ArrayBuffer>;
}

// Absolute path, set by the test runner; empty when the folder is not there.
const fixturesFolder = inject("fixturesFolder");

/** Whether the fixtures folder is there; tests skip and say so when it is not. */
export const hasFixtures: boolean = fixturesFolder !== "";

/** Whether training trajectories are followed to their end or for their first steps only. */
export const isWholeTrajectory: boolean = inject("isWholeTrajectory");

/** Bytes of a file, by its path inside the fixtures folder; null when the folder or the file is missing. */
export async function readFixture(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  return hasFixtures ? readFile(`${fixturesFolder}/${path}`) : null;
}

/** Bytes of a file of `tools/golden`, by its path inside; throws when it is missing. */
export async function readGolden(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readFile(`${inject("goldenFolder")}/${path}`);
  if (bytes === null) throw new Error(`tools/golden/${path} is not there: tools/golden/main.py writes it.`);
  return bytes;
}

async function readFile(file: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const fileSystem = nodeFileSystem();
  if (fileSystem !== null) {
    return fileSystem.existsSync(file) ? new Uint8Array(fileSystem.readFileSync(file)) : null;
  }
  const { commands } = await import("vitest/browser");
  try {
    return decodeBase64(await commands.readFile(file, "base64"));
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes("ENOENT")) return null;
    throw cause;
  }
}

/** Text of a file in UTF-8; null when the folder or the file is missing. */
export async function readFixtureText(path: string): Promise<string | null> {
  const bytes = await readFixture(path);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

function nodeFileSystem(): FileSystem | null {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const loaded = process?.getBuiltinModule?.("node:fs");
  return loaded === undefined ? null : (loaded as FileSystem);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
