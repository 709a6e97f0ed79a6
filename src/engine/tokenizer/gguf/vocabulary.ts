/** The tokens of a GGUF file, checked. */
import { TokenizerError } from "../tokenizerError.ts";

/** Metadata of a file by key. */
export type Metadata = ReadonlyMap<string, unknown>;

/** Kinds of tokens in `tokenizer.ggml.token_type`. */
export const tokenKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Texts and kinds by id. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
}

/** Texts that end a turn, where a file does not say which token does. */
const ENDS_OF_TURNS = ["<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>"];

function show(value: unknown): string {
  if (value === undefined || value === null) return "missing";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return "a list";
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A refusal of a field of the metadata. */
export function refuse(field: string, found: unknown, expected: string): never {
  throw new TokenizerError(`tokenizer.ggml.${field} is ${show(found)}, expected ${expected}.`);
}

/** A list of texts. */
export function readTexts(metadata: Metadata, field: string): readonly string[] {
  const texts = metadata.get(`tokenizer.ggml.${field}`);
  if (!Array.isArray(texts)) return refuse(field, texts, "a list of texts");
  return texts.map(String);
}

/** A list with a number for each token; null where there is none. */
export function readNumbers(metadata: Metadata, field: string, tokens: number): number[] | null {
  const list = metadata.get(`tokenizer.ggml.${field}`) ?? null;
  if (list === null) return null;
  if (!ArrayBuffer.isView(list) || list instanceof DataView) return refuse(field, list, "a list of numbers");
  const numbers = Array.from(list as Float32Array | BigInt64Array, Number);
  if (numbers.length !== tokens) refuse(field, numbers.length, `a list of ${tokens}, one for each token`);
  return numbers;
}

/** A token that the file gives by its id; null where it gives none. */
export function readId(
  metadata: Metadata,
  name: string,
  { tokens }: Pick<Vocabulary, "tokens">,
): number | null {
  const field = `${name}_token_id`;
  const id = metadata.get(`tokenizer.ggml.${field}`) ?? null;
  if (id === null) return null;
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < tokens.length) return id;
  return refuse(field, id, `an id below ${tokens.length}`);
}

/** Tokens and their kinds; what begins or ends a text is never a normal word. Throws `TokenizerError`. */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = readTexts(metadata, "tokens");
  const seen = new Set<string>();
  for (const token of tokens) {
    if (seen.has(token)) refuse("tokens", token, "each token once");
    seen.add(token);
  }
  const kinds =
    readNumbers(metadata, "token_type", tokens.length) ?? tokens.map(() => tokenKinds.normal as number);
  for (const name of ["bos", "eos", "eot"]) {
    const id = readId(metadata, name, { tokens });
    if (id !== null && kinds[id] === tokenKinds.normal) kinds[id] = tokenKinds.control;
  }
  return { tokens, kinds };
}

/** Ids that end a text, the file's own first. */
export function readStopIds(metadata: Metadata, vocabulary: Vocabulary): number[] {
  const { tokens, kinds } = vocabulary;
  const named = ["eos", "eot", "eom"].map((name) => readId(metadata, name, vocabulary));
  const isKept = (id: number) => id >= 0 && kinds[id] !== tokenKinds.normal;
  const found = ENDS_OF_TURNS.map((token) => tokens.indexOf(token)).filter(isKept);
  return [...new Set([...named.filter((id) => id !== null), ...found])];
}

/** Entries of tokenizer.json for tokens that are recognised before a text is cut. */
export function addedTokens({ tokens, kinds }: Vocabulary): object[] {
  return tokens.flatMap((content, id) => {
    const special = kinds[id] === tokenKinds.control || kinds[id] === tokenKinds.unknown;
    if (!special && kinds[id] !== tokenKinds.userDefined) return [];
    if (content === "") return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}
