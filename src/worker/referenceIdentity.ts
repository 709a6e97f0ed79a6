/** Fingerprints of what the reference's numbers depend on, read from the files and pairs that were loaded. */
import type { TokenPair } from "../engine/data/tokenPair.ts";
import type { AdapterSum } from "../engine/models/hostAdapter.ts";
import type { ModelFile } from "../engine/models/loadModel.ts";
import { fingerprint, fingerprintInTurns, textFingerprint } from "../engine/reference/fingerprint.ts";
import { pairKey } from "../engine/reference/referenceCache.ts";
import { adapterPart, type ReferenceIdentity } from "../engine/reference/referenceIdentity.ts";
import type { Device } from "../engine/tensor/device.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { inTurns } from "./inTurns.ts";

/** The parts of an identity that come from a model's folder. */
export type ModelPrints = Pick<ReferenceIdentity, "weights" | "tokenizer" | "template">;

/** Reads every weight once, in turns: a person's own can be gigabytes. */
export async function modelPrints(files: readonly ModelFile[]): Promise<ModelPrints> {
  const named = (fits: (name: string) => boolean) =>
    files
      .map(({ name, bytes }) => ({ name: name.slice(name.lastIndexOf("/") + 1), bytes }))
      .filter(({ name }) => fits(name))
      .toSorted((first, second) => (first.name < second.name ? -1 : 1));
  const textOf = (wanted: string) => {
    const [file] = named((name) => name === wanted);
    return file === undefined ? "" : new TextDecoder().decode(file.bytes);
  };
  const { chat_template: template = null, ...config } = JSON.parse(
    textOf("tokenizer_config.json") || "{}",
  ) as Record<string, unknown>;
  const jinja = textOf("chat_template.jinja");
  const weights = named((name) => name === "config.json" || name.endsWith(".safetensors"));
  return {
    weights: await inTurns(
      fingerprintInTurns(
        weights.flatMap(({ name, bytes }) => [new TextEncoder().encode(`${name} ${bytes.length}\n`), bytes]),
      ),
    ),
    tokenizer: textFingerprint(
      JSON.stringify([textOf("tokenizer.json"), config, textOf("generation_config.json")]),
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
