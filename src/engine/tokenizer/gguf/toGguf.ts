/** A tokenizer.json as metadata of a GGUF file, as llama.cpp's converter writes it. */
import type { GgufEntry } from "../../files/gguf/write.ts";
import { findChatTemplate } from "../chatTemplate.ts";
import type { TokenizerFiles } from "../tokenizer.ts";
import { TokenizerError } from "../tokenizerError.ts";
import { findPreTokenizerName, hasSpacePrefix } from "./recognise.ts";
import { tokenKinds } from "./vocabulary.ts";
import { SPACE } from "./scoredMerges.ts";

type Json = Readonly<Record<string, unknown>>;

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function refuse(reason: string): never {
  throw new TokenizerError(`This tokenizer cannot be written into a GGUF file: ${reason}`);
}

/** What tokens a file has, by id. */
interface TokenTable {
  readonly tokens: string[];
  readonly kinds: number[];
  readonly idOf: ReadonlyMap<string, number>;
}

function readIds(json: Json, vocabularySize: number): Map<string, number> {
  const ids = new Map<string, number>();
  const add = (token: string, id: unknown) => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabularySize)
      refuse(`${JSON.stringify(token)} has the id ${String(id)}, the model has ${vocabularySize} tokens.`);
    ids.set(token, id);
  };
  for (const [token, id] of Object.entries(asRecord(asRecord(json["model"])["vocab"]))) add(token, id);
  for (const added of addedOf(json)) add(added.content, added.id);
  return ids;
}

function addedOf(json: Json): { content: string; id: unknown; isSpecial: boolean }[] {
  const list: unknown[] = Array.isArray(json["added_tokens"]) ? json["added_tokens"] : [];
  return list.flatMap((each) => {
    const { content, id, special } = asRecord(each);
    return typeof content === "string" ? [{ content, id, isSpecial: special === true }] : [];
  });
}

/** Every id has a token: those that the tokenizer lacks are unused, as the converter names them. */
function listTokens(json: Json, vocabularySize: number, isByteLevel: boolean): TokenTable {
  const idOf = readIds(json, vocabularySize);
  const tokens = Array.from({ length: vocabularySize }, (_, id) => `[PAD${id}]`);
  const kinds = tokens.map((): number => tokenKinds.unused);
  for (const [token, id] of idOf) {
    tokens[id] = token;
    const isByte = !isByteLevel && /^<0x[0-9A-F]{2}>$/.test(token);
    kinds[id] = isByte ? tokenKinds.byte : tokenKinds.normal;
  }
  for (const { content, isSpecial } of addedOf(json)) {
    const id = idOf.get(content) ?? 0;
    kinds[id] = isSpecial ? tokenKinds.control : tokenKinds.userDefined;
    // The converter writes spaces in them as they are.
    if (!isSpecial && !isByteLevel) tokens[id] = content.replaceAll(SPACE, " ");
  }
  const unknown = idOf.get(String(asRecord(json["model"])["unk_token"]));
  if (unknown !== undefined && !isByteLevel) kinds[unknown] = tokenKinds.unknown;
  return { tokens, kinds, idOf };
}

function readMerges(model: Json): [string, string][] {
  const merges: unknown[] = Array.isArray(model["merges"]) ? model["merges"] : [];
  return merges.map((merge) => {
    const pair: unknown[] = typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
    const [left, right] = pair;
    if (pair.length === 2 && typeof left === "string" && typeof right === "string") return [left, right];
    return refuse(`the merge ${JSON.stringify(merge)} is not a pair of tokens.`);
  });
}

/** Scores that give the merges their order: the earlier a token can be made, the better. */
function scoresOf({ tokens, idOf }: TokenTable, merges: readonly [string, string][]): number[] {
  const scores = tokens.map(() => -merges.length - 1);
  merges.forEach(([left, right], rank) => {
    const id = idOf.get(left + right);
    if (id !== undefined) scores[id] = Math.max(scores[id] ?? 0, -rank - 1);
  });
  return scores;
}

function specialIds(config: Json, files: TokenizerFiles, { idOf }: TokenTable): [string, GgufEntry][] {
  const entries = new Map<string, number>();
  const idOfToken = (field: string) => {
    const value = config[field];
    const text = typeof value === "string" ? value : asRecord(value)["content"];
    return typeof text === "string" ? idOf.get(text) : undefined;
  };
  const fields = { bos: "bos_token", eos: "eos_token", unknown: "unk_token", padding: "pad_token" };
  for (const [name, field] of Object.entries(fields)) {
    const id = idOfToken(field);
    if (id !== undefined) entries.set(name, id);
  }
  const stops = asRecord(files.generationConfig)["eos_token_id"];
  const others = (Array.isArray(stops) ? stops : []).filter((id) => id !== entries.get("eos"));
  const [endOfTurn] = others;
  if (typeof endOfTurn === "number") entries.set("eot", endOfTurn);
  return [...entries].map(([name, value]) => [`tokenizer.ggml.${name}_token_id`, { type: "uint32", value }]);
}

/** Whether BOS comes first: as the configuration says, else as the tokenizer's own template puts it. */
function addsBos(json: Json, config: Json): boolean {
  if (typeof config["add_bos_token"] === "boolean") return config["add_bos_token"];
  const processors = asRecord(json["post_processor"]);
  const list: unknown[] = Array.isArray(processors["processors"]) ? processors["processors"] : [processors];
  return list.some((processor) => {
    const single = asRecord(processor)["single"];
    return Array.isArray(single) && asRecord(single[0])["SpecialToken"] !== undefined;
  });
}

/** Metadata of a tokenizer for a model of so many tokens. Throws `TokenizerError` with what GGUF has no way to say. */
export function tokenizerToGguf(files: TokenizerFiles, vocabularySize: number): Map<string, GgufEntry> {
  const json = asRecord(files.tokenizerJson);
  const config = asRecord(files.tokenizerConfig);
  const model = asRecord(json["model"]);
  if (model["type"] !== "BPE") refuse(`its model is ${String(model["type"])}, expected BPE.`);
  const isByteLevel = model["byte_fallback"] !== true;
  const table = listTokens(json, vocabularySize, isByteLevel);
  const merges = readMerges(model);
  const entries = new Map<string, GgufEntry>();
  const set = (name: string, entry: GgufEntry) => entries.set(`tokenizer.ggml.${name}`, entry);
  set("model", { type: "string", value: isByteLevel ? "gpt2" : "llama" });
  set("pre", { type: "string", value: isByteLevel ? findPreTokenizerName(json) : "default" });
  set("tokens", { type: "strings", value: table.tokens });
  if (!isByteLevel) set("scores", { type: "float32s", value: scoresOf(table, merges) });
  set("token_type", { type: "int32s", value: table.kinds });
  if (isByteLevel && merges.flat().some((token) => token.includes(" ")))
    refuse("a token in its merges has a space, which GGUF puts between two tokens.");
  if (isByteLevel) set("merges", { type: "strings", value: merges.map((pair) => pair.join(" ")) });
  for (const [key, entry] of specialIds(config, files, table)) entries.set(key, entry);
  set("add_bos_token", { type: "bool", value: addsBos(json, config) });
  set("add_space_prefix", { type: "bool", value: !isByteLevel && hasSpacePrefix(json) });
  const template = files.chatTemplate ?? findChatTemplate(config["chat_template"]);
  if (template !== null) entries.set("tokenizer.chat_template", { type: "string", value: template });
  return entries;
}
