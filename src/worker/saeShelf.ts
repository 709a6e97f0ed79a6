/** The sparse autoencoders at hand: all of them read the stream of the loaded model. */
import { fingerprint } from "../engine/reference/fingerprint.ts";
import { checkFits } from "../engine/sae/checkFits.ts";
import { readSae } from "../engine/sae/readSae.ts";
import { saveSae } from "../engine/sae/saveSae.ts";
import { uploadSae, type SparseAutoencoder } from "../engine/sae/sparseAutoencoder.ts";
import type { SaeArrays, SaeFile } from "../engine/sae/layouts/layout.ts";
import type { ModelConfig } from "../engine/models/config.ts";
import { read } from "../engine/tensor/run.ts";
import { refuse } from "./errorReport.ts";
import type { ExportedFile, SaeSummary } from "./protocol.ts";

const BYTES_PER_NUMBER = 4;

/** An autoencoder on the device. */
export interface ShelvedSae {
  readonly summary: SaeSummary;
  readonly sae: SparseAutoencoder;
}

/** Where an autoencoder comes from. */
export interface SaeSource extends Pick<SaeSummary, "label" | "origin"> {
  /** Its origin and layer where it has none of its own, so that one of each layer can be at hand. */
  readonly id?: string;
  /** Puts it behind the others, so that they stay what runs use by default. */
  readonly isLast?: boolean;
}

/** The shelf. */
export interface SaeShelf {
  /** Those with these ids in the order of their layers, or why they cannot be used; without ids the newest, if any. */
  readonly choose: (ids: readonly string[]) => {
    readonly used: readonly ShelvedSae[];
    readonly problem: string | null;
  };
  /** Refuses an id that is not there. */
  readonly find: (id: string) => ShelvedSae;
  /** Makes one the newest; null where it is not there. */
  readonly use: (id: string) => SaeSummary | null;
  /** The newest first. */
  readonly summaries: () => readonly SaeSummary[];
  /** Reads files and puts the autoencoder there in place of one with the same id. Rejects where it does not fit the model. */
  readonly open: (files: readonly SaeFile[], source: SaeSource, config: ModelConfig) => Promise<SaeSummary>;
  /** Puts a trained one there. */
  readonly put: (arrays: SaeArrays, source: SaeSource) => SaeSummary;
  /** Files of one, as SAELens 6 keeps them. */
  readonly save: (id: string) => Promise<readonly ExportedFile[]>;
  /** Frees those that others took the place of; no run may use them any more. */
  readonly sweep: () => void;
  readonly clear: () => void;
}

/** An empty shelf. */
export function createSaeShelf(): SaeShelf {
  const shelved = new Map<string, ShelvedSae>();
  const retired: SparseAutoencoder[] = [];
  const sweep = () => {
    for (const sae of retired.splice(0)) sae.dispose();
  };
  const whyMissing = (id: string) => {
    const known = [...shelved.keys()].map((name) => `"${name}"`).join(", ") || "none";
    return `There is no autoencoder "${id}" at hand; at hand: ${known}. Choose one under Features.`;
  };
  const find = (id: string): ShelvedSae => shelved.get(id) ?? refuse("CFG-1", whyMissing(id));
  const moveToEnd = (id: string, one: ShelvedSae) => {
    shelved.delete(id);
    shelved.set(id, one);
  };
  const put = (arrays: SaeArrays, source: SaeSource): SaeSummary => {
    const hasDecoder = arrays.decoder !== null;
    const sae = uploadSae(arrays, { needsDecoder: hasDecoder });
    const summary = summaryOf(arrays, source);
    const replaced = shelved.get(summary.id);
    if (replaced !== undefined) retired.push(replaced.sae);
    shelved.delete(summary.id);
    const others = [...shelved];
    shelved.set(summary.id, { summary, sae });
    // The newest is the last of the map.
    if (source.isLast === true) for (const [id, other] of others) moveToEnd(id, other);
    return summary;
  };
  return {
    find,
    choose: (ids) => {
      const missing = ids.find((id) => !shelved.has(id));
      if (missing !== undefined) return { used: [], problem: whyMissing(missing) };
      const chosen = ids.length === 0 ? [...shelved.values()].slice(-1) : ids.map(find);
      const used = chosen.toSorted((first, second) => first.sae.layer - second.sae.layer);
      const twice = used.find(({ sae }, place) => used[place + 1]?.sae.layer === sae.layer);
      return { used, problem: twice === undefined ? null : twoOf(twice.sae.layer) };
    },
    use: (id) => {
      const wanted = shelved.get(id);
      if (wanted === undefined) return null;
      moveToEnd(id, wanted);
      return wanted.summary;
    },
    summaries: () => [...shelved.values()].map(({ summary }) => summary).toReversed(),
    open: async (files, source, config) => {
      const arrays = await readSae(files, { needsDecoder: true });
      checkFits(arrays, config);
      return put(arrays, source);
    },
    put,
    save: async (id) => saveSae(await arraysOf(find(id).sae)),
    sweep,
    clear: () => {
      sweep();
      for (const { sae } of shelved.values()) sae.dispose();
      shelved.clear();
    },
  };
}

function twoOf(layer: number): string {
  return `Two autoencoders read the stream after block ${layer}: choose one of them.`;
}

function summaryOf(arrays: SaeArrays, { label, origin, id }: SaeSource): SaeSummary {
  const { layer, hook, width, inputSize, modelName, decoder } = arrays;
  const numbers = [arrays.encoder, arrays.bias, arrays.threshold, decoder, arrays.decoderBias];
  const sizeBytes = numbers.reduce((sum, values) => sum + BYTES_PER_NUMBER * (values?.length ?? 0), 0);
  const name = id ?? `${origin}-${layer}`;
  return {
    id: name,
    label,
    origin,
    layer,
    hook,
    width,
    inputSize,
    modelName,
    sizeBytes,
    print: printOf(arrays),
    hasDecoder: decoder !== null,
  };
}

/** Features depend on what encodes them and on the layer alone. */
function printOf({ layer, encoder, bias, threshold }: SaeArrays): string {
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    fingerprint(new Uint8Array(buffer, byteOffset, byteLength));
  return [layer, ...[encoder, bias, threshold].map(bytesOf)].join("-");
}

/** An autoencoder back on the host. */
async function arraysOf(sae: SparseAutoencoder): Promise<SaeArrays> {
  const { inputSize, width, layer, hook, modelName, decoder } = sae;
  const values = async (tensor: SparseAutoencoder["bias"]) => Float32Array.from(await read(tensor));
  return {
    inputSize,
    width,
    layer,
    hook,
    modelName,
    encoder: await values(sae.encoder),
    bias: await values(sae.bias),
    threshold: await values(sae.threshold),
    decoder: decoder === null ? null : await values(decoder.weight),
    decoderBias: decoder === null ? null : await values(decoder.bias),
  };
}
