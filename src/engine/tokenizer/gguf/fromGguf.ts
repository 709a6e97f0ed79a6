/** The tokenizer of a GGUF file as the files of a model folder. Source: ggml's docs/gguf.md, llama.cpp's converter. */
import { TokenizerError } from "../tokenizerError.ts";
import type { TokenizerFiles } from "../tokenizer.ts";
import { preTokenizers, type PreTokenizer } from "./preTokenizers.ts";
import { mergesOf, respellSpaces, SPACE } from "./scoredMerges.ts";
import {
  addedTokens,
  readId,
  readNumbers,
  readStopIds,
  readTexts,
  readVocabulary,
  refuse,
  tokenKinds,
  type Metadata,
  type Vocabulary,
} from "./vocabulary.ts";

/** A tokenizer.json, and whether BOS comes first where the file does not say. */
interface Built {
  readonly json: object;
  readonly addsBos: boolean;
}

function idsByToken({ tokens }: Vocabulary): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** A tokenizer.json whose own fields follow those that all have. */
function tokenizerJson(vocabulary: Vocabulary, own: object): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    ...own,
  };
}

function findPreTokenizer(metadata: Metadata): PreTokenizer {
  const name = metadata.get("tokenizer.ggml.pre") ?? "default";
  const found = preTokenizers.find(({ names }) => names.some((each) => each === name));
  return found ?? refuse("pre", name, `one of ${preTokenizers.flatMap(({ names }) => names).join(", ")}`);
}

/** Byte-level BPE. */
function buildByteLevel(metadata: Metadata): Built {
  const { normalizer, preTokenizer, ignoresMerges, addsBos } = findPreTokenizer(metadata);
  const vocabulary = readVocabulary(metadata);
  const merges = readTexts(metadata, "merges").map((merge) => {
    const space = merge.indexOf(" ", 1);
    if (space < 0 || space === merge.length - 1) refuse("merges", merge, "two tokens with a space between");
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
  const json = tokenizerJson(vocabulary, {
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoresMerges,
      vocab: idsByToken(vocabulary),
      merges,
    },
  });
  return { json, addsBos };
}

/** SentencePiece's BPE: characters that are no token become bytes. */
function buildSentencePiece(metadata: Metadata): Built {
  const vocabulary = respellSpaces(readVocabulary(metadata));
  const scores = readNumbers(metadata, "scores", vocabulary.tokens.length);
  if (scores === null) return refuse("scores", undefined, "a list of numbers, one for each token");
  if (metadata.get("tokenizer.ggml.remove_extra_whitespaces") === true)
    refuse("remove_extra_whitespaces", true, "false: spaces are kept");
  const hasPrefix = metadata.get("tokenizer.ggml.add_space_prefix") !== false;
  const replace = { type: "Replace", pattern: { String: " " }, content: SPACE };
  const unknown = vocabulary.kinds.indexOf(tokenKinds.unknown);
  const json = tokenizerJson(vocabulary, {
    normalizer: hasPrefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: SPACE }, replace] }
      : replace,
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(hasPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: vocabulary.tokens[readId(metadata, "unknown", vocabulary) ?? unknown] ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: idsByToken(vocabulary),
      merges: mergesOf(vocabulary, scores),
    },
  });
  return { json, addsBos: true };
}

function build(metadata: Metadata): Built {
  const model = metadata.get("tokenizer.ggml.model");
  if (model === "gpt2") return buildByteLevel(metadata);
  if (model === "llama") return buildSentencePiece(metadata);
  return refuse("model", model, '"gpt2" or "llama"');
}

/** The original tokenizer.json, which some files carry whole. */
function readOwnJson(text: unknown): object {
  try {
    const json: unknown = JSON.parse(String(text));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  } catch {
    // Said below.
  }
  throw new TokenizerError("tokenizer.huggingface.json is not a JSON object.");
}

/** What puts BOS before a text, as tokenizer.json says it. */
function bosTemplate(token: string, id: number) {
  const bos = { SpecialToken: { id: token, type_id: 0 } };
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  return {
    type: "TemplateProcessing",
    single: [bos, sequence("A", 0)],
    pair: [bos, sequence("A", 0), { SpecialToken: { id: token, type_id: 1 } }, sequence("B", 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/** The special tokens and the chat template of tokenizer_config.json. */
function sharedConfig(metadata: Metadata, vocabulary: Vocabulary) {
  const tokenOf = (name: string) => vocabulary.tokens[readId(metadata, name, vocabulary) ?? -1] ?? null;
  const template = metadata.get("tokenizer.chat_template");
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: tokenOf("bos"),
    eos_token: tokenOf("eos"),
    unk_token: tokenOf("unknown"),
    pad_token: tokenOf("padding"),
    clean_up_tokenization_spaces: false,
    ...(typeof template === "string" ? { chat_template: template } : {}),
  };
}

/** Builds the files of a tokenizer from metadata. Throws `TokenizerError` naming the field for what is not understood. */
export function tokenizerFromGguf(metadata: Metadata): TokenizerFiles {
  const vocabulary = readVocabulary(metadata);
  const config = sharedConfig(metadata, vocabulary);
  const generationConfig = { eos_token_id: readStopIds(metadata, vocabulary) };
  const said = metadata.get("tokenizer.ggml.add_bos_token");
  const own = metadata.get("tokenizer.huggingface.json");
  if (own !== undefined) {
    const addsBos = typeof said === "boolean" ? { add_bos_token: said } : {};
    return { tokenizerJson: readOwnJson(own), tokenizerConfig: { ...config, ...addsBos }, generationConfig };
  }
  const { json, addsBos } = build(metadata);
  const bosId = readId(metadata, "bos", vocabulary);
  const { bos_token: bos } = config;
  const putsBos = bos !== null && bosId !== null && (said ?? addsBos) === true;
  return {
    tokenizerJson: putsBos ? { ...json, post_processor: bosTemplate(bos, bosId) } : json,
    tokenizerConfig: { ...config, add_bos_token: putsBos },
    generationConfig,
  };
}
