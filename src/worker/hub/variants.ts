/** The ways to get a model out of a repository, from the names of its files alone. */
import type { HubFile } from "./hubClient.ts";

/** One way, before anything was read. */
export interface ListedVariant {
  /** Null for the full weights, else the GGUF file. */
  readonly file: string | null;
  readonly label: string;
  readonly format: "safetensors" | "gguf";
  readonly files: readonly HubFile[];
  /** Why it cannot be loaded, in one sentence; null where nothing speaks against it. */
  readonly problem: string | null;
}

/** What is kept beside the weights, where it is there. */
const sideFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
];
const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const shardName = /^model-\d+-of-(\d+)\.safetensors$/;
const pickleName = /\.(?:bin|pt|pth|ckpt|pkl)$/;
/** Quantisations that are read, as GGUF files are named for them. */
const readable = /^(?:F32|F16|BF16|Q8_0|Q4_0|Q4_1|Q5_0|Q5_1|Q4_K(?:_[SML]+)?|Q5_K(?:_[SML]+)?|Q6_K(?:_L)?)$/;
const quantization =
  /(?:^|[-._])((?:I?Q\d|TQ\d)(?:_[A-Z0-9]+)*|BF16|F16|F32|FP16|FP32|MXFP4)(?=[-._][^/]*$)/i;

/** Lists the full weights first, then every GGUF file. */
export function listVariants(files: readonly HubFile[]): ListedVariant[] {
  const full = fullWeights(files);
  return [...(full === null ? [] : [full]), ...ggufVariants(files)];
}

function fullWeights(files: readonly HubFile[]): ListedVariant | null {
  const top = new Map(files.filter(({ name }) => !name.includes("/")).map((file) => [file.name, file]));
  const named = (names: readonly string[]) => names.flatMap((name) => top.get(name) ?? []);
  const shards = [...top.keys()].filter((name) => shardName.test(name)).toSorted();
  const weights = top.has(SINGLE) ? [SINGLE] : [INDEX, ...shards];
  const variant = (names: readonly string[], label: string, problem: string | null): ListedVariant => ({
    file: null,
    label,
    format: "safetensors",
    files: named(names),
    problem,
  });
  if (top.has(SINGLE) || shards.length > 0)
    return variant([...sideFiles, ...weights], "Full weights", whyNotFull(top, shards));
  if (top.has("adapter_model.safetensors"))
    return variant(
      ["adapter_config.json", "adapter_model.safetensors"],
      "Adapter",
      "This is an adapter, not a model: download its two files and import them under Adapters.",
    );
  const pickles = [...top.keys()].filter((name) => pickleName.test(name));
  if (pickles.length === 0) return null;
  return variant(
    [...sideFiles, ...pickles],
    "Full weights (pickle)",
    `The weights are Python pickles (${pickles[0]}), which can run code when they are opened and are not read here. Look for safetensors or GGUF.`,
  );
}

function whyNotFull(top: ReadonlyMap<string, HubFile>, shards: readonly string[]): string | null {
  if (!top.has("config.json")) return "There is no config.json beside the weights.";
  if (!top.has("tokenizer.json"))
    return "There is no tokenizer.json beside the weights; other tokenizer files are not read here.";
  if (top.has(SINGLE)) return null;
  const expected = Number(shardName.exec(shards[0] ?? "")?.[1] ?? 0);
  if (expected !== shards.length) return `${shards.length} of ${expected} files of weights are there.`;
  return top.has(INDEX) ? null : `The weights are in ${expected} files, and ${INDEX} is missing.`;
}

function ggufVariants(files: readonly HubFile[]): ListedVariant[] {
  return files
    .filter(({ name }) => name.endsWith(".gguf") && !/(?:^|[/._-])mmproj/i.test(name))
    .toSorted((a, b) => b.bytes - a.bytes)
    .map((file) => {
      const type = quantization.exec(file.name)?.[1]?.toUpperCase().replace("FP", "F") ?? null;
      return {
        file: file.name,
        label: type ?? file.name,
        format: "gguf",
        files: [file],
        problem: whyNotGguf(file.name, type),
      };
    });
}

function whyNotGguf(name: string, type: string | null): string | null {
  const parts = /-\d{5}-of-(\d{5})\.gguf$/.exec(name)?.[1];
  if (parts !== undefined)
    return `One of ${Number(parts)} parts of a model: join them with llama-gguf-split --merge, and open the result from the disk.`;
  if (type === null || readable.test(type)) return null;
  return `Weights as ${type} cannot be read. These can: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K.`;
}
