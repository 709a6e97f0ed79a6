/** Fingerprints of what the reference's numbers depend on, read from the files and pairs that were loaded. */
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { allBytes, readRange, sizeOf, type FileBytes } from "../engine/files/fileBytes.ts";
import type { AdapterSum } from "../engine/models/hostAdapter.ts";
import type { ModelFile } from "../engine/models/loadModel.ts";
import { fingerprint, startFingerprint, textFingerprint } from "../engine/reference/fingerprint.ts";
import { pairKey } from "../engine/reference/referenceCache.ts";
import { adapterPart, type ReferenceIdentity } from "../engine/reference/referenceIdentity.ts";
import type { Device } from "../engine/tensor/device.ts";
import type { BaseWeights, RunConfig } from "../engine/training/config.ts";
import { takingTurns } from "./inTurns.ts";

/** The parts of an identity that come from a model's folder. */
export type ModelPrints = Pick<ReferenceIdentity, "weights" | "tokenizer" | "template">;

/** Bytes that are looked at between two turns of other tasks: a few milliseconds of work. */
const PIECE_BYTES = 1 << 20;
/** Files that weights and what they mean are read from. */
const MODEL_FILE = /(^config\.json|\.index\.json|\.safetensors|\.gguf|\.zip)$/i;

/** The fingerprint of parts laid one after another, read piece by piece, because weights can be gigabytes. */
export async function fingerprintOf(parts: readonly FileBytes[]): Promise<string> {
  const print = startFingerprint();
  const giveWay = takingTurns();
  for (const part of parts) {
    for (let at = 0; at < sizeOf(part); at += PIECE_BYTES) {
      print.add(await readRange(part, at, at + PIECE_BYTES));
      await giveWay();
    }
  }
  return print.text();
}

/** Reads every weight once. Numbers of a model whose weights lie otherwise on the device are other numbers. */
export async function modelPrints(
  files: readonly ModelFile[],
  baseWeights: BaseWeights,
): Promise<ModelPrints> {
  const named = (fits: (name: string) => boolean) =>
    files
      .map(({ name, bytes }) => ({ name: name.slice(name.lastIndexOf("/") + 1), bytes }))
      .filter(({ name }) => fits(name))
      .toSorted((first, second) => (first.name < second.name ? -1 : 1));
  const textOf = async (wanted: string) => {
    const [file] = named((name) => name === wanted);
    return file === undefined ? "" : new TextDecoder().decode(await allBytes(file.bytes));
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  const { chat_template: template = null, ...config } = JSON.parse(
    (await textOf("tokenizer_config.json")) || "{}",
  ) as Record<string, unknown>;
  const jinja = await textOf("chat_template.jinja");
  const weights = named((name) => MODEL_FILE.test(name));
  return {
    weights: await fingerprintOf([
      encode(`${baseWeights}\n`),
      ...weights.flatMap(({ name, bytes }) => [encode(`${name} ${sizeOf(bytes)}\n`), bytes]),
    ]),
    tokenizer: textFingerprint(
      JSON.stringify([await textOf("tokenizer.json"), config, await textOf("generation_config.json")]),
    ),
    template: textFingerprint(jinja === "" ? JSON.stringify(template) : jinja),
  };
}

/** What adapters a reference has: "" where none stands on the model. With a run that goes on with them, in its numbers. */
export function adapterPrint(
  sum: AdapterSum | undefined,
  run?: Pick<RunConfig, "loraRank" | "loraAlpha">,
): string {
  if (sum === undefined || sum.size === 0) return "";
  const print = sumPrints.get(sum) ?? sumPrint(sum);
  sumPrints.set(sum, print);
  return adapterPart(print, run === undefined ? undefined : { rank: run.loraRank, alpha: run.loraAlpha });
}

/** It is asked for whenever the form changes, and sums are megabytes. */
const sumPrints = new WeakMap<AdapterSum, string>();

function sumPrint(sum: AdapterSum): string {
  const parts = [...sum]
    .toSorted(([first], [second]) => (first < second ? -1 : 1))
    .map(([module, { a, b, rank }]) => `${module} ${rank} ${bytesPrint(a)} ${bytesPrint(b)}`);
  return textFingerprint(parts.join());
}

function bytesPrint({ buffer, byteOffset, byteLength }: Float32Array): string {
  return fingerprint(new Uint8Array(buffer, byteOffset, byteLength));
}

/** The fingerprint of pairs as they were tokenised, in whatever order. */
export function pairsPrint(pairs: readonly TokenPair[]): string {
  return textFingerprint(pairs.map(pairKey).sort().join());
}

/** What computes, and in what numbers: another device rounds otherwise, and an untouched policy would seem to differ. */
export function numericsOf({ backend, report }: Pick<Device, "backend" | "report">): string {
  const { vendor, architecture, description, isFallbackAdapter } = report;
  const adapter = [vendor, architecture, description, isFallbackAdapter ? "software" : ""];
  const words = [backend, ...(backend === "webgpu" ? adapter : []), "f32"];
  return words.filter((word) => word !== "").join(" ");
}
