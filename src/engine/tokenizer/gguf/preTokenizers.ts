/** How byte-level tokenizers cut a text into words before pairs are merged, by GGUF's names for it. */

/** One way to cut. */
export interface PreTokenizer {
  /** `tokenizer.ggml.pre`; the first is written. */
  readonly names: readonly string[];
  /** As tokenizer.json holds them. */
  readonly normalizer: object | null;
  readonly preTokenizer: object;
  /** A word that is a token is not merged from its parts. */
  readonly ignoresMerges: boolean;
  /** Whether BOS comes first where the file does not say. */
  readonly addsBos: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function byteLevel(usesRegex: boolean) {
  return { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: usesRegex };
}

function split(pattern: string) {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/** Cut into words, and numbers of so many digits. */
function splitBy(number: string) {
  const words = split(`${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${number}${REST}`);
  return { type: "Sequence", pretokenizers: [words, byteLevel(false)] };
}

/** Those that are read and written. */
export const preTokenizers: readonly PreTokenizer[] = [
  {
    names: ["gpt-2", "default"],
    normalizer: null,
    preTokenizer: byteLevel(true),
    ignoresMerges: false,
    addsBos: false,
  },
  {
    names: ["llama-bpe", "llama3", "llama-v3"],
    normalizer: null,
    preTokenizer: splitBy("\\p{N}{1,3}"),
    ignoresMerges: true,
    addsBos: true,
  },
  {
    names: ["qwen2", "deepseek-r1-qwen"],
    normalizer: { type: "NFC" },
    preTokenizer: splitBy("\\p{N}"),
    ignoresMerges: false,
    addsBos: false,
  },
  {
    names: ["smollm"],
    normalizer: null,
    preTokenizer: {
      type: "Sequence",
      // `Digits` in the original, which for @huggingface/tokenizers leaves out numbers such as ½.
      pretokenizers: [split("\\p{N}"), byteLevel(true)],
    },
    ignoresMerges: false,
    addsBos: false,
  },
];
