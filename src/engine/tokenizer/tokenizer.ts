import { Tokenizer as Codec } from "@huggingface/tokenizers";
import { checkIds } from "./checkIds.ts";
import { createChatRenderer, findChatTemplate, type ChatRenderer } from "./chatTemplate.ts";
import { displayTexts } from "./displayTexts.ts";
import { TokenizerError } from "./tokenizerError.ts";

/** What a tokenizer is made of: the parsed files of a model folder. */
export interface TokenizerFiles {
  readonly tokenizerJson: unknown;
  readonly tokenizerConfig: unknown;
  readonly generationConfig?: unknown;
  /** The text of `chat_template.jinja`; it goes before the template in the tokenizer config. */
  readonly chatTemplate?: string;
}

/** Text to token ids and back. */
export interface Tokenizer {
  /**
   * Ids of a text. With special tokens, BOS comes first exactly once where the model wants one; without, nothing is
   * added, which is right for rendered chats and for the rest of a text.
   */
  readonly encode: (text: string, options: { readonly addSpecialTokens: boolean }) => number[];
  /**
   * Text of ids, special tokens left out. With `after`, only what the ids add to that text: an answer decoded after
   * its prompt keeps its leading space.
   */
  readonly decode: (ids: readonly number[], options?: { readonly after?: readonly number[] }) => string;
  /**
   * Text of every single id; joined, they are `decode(ids)`. A character of several tokens appears with its last
   * one, special tokens give "".
   */
  readonly decodeTokens: (
    ids: readonly number[],
    options?: { readonly after?: readonly number[] },
  ) => string[];
  /** Names of the special tokens by their ids, such as `<|im_end|>`. */
  readonly specialTokens: ReadonlyMap<number, string>;
  /** One more than the largest id. */
  readonly vocabularySize: number;
  readonly bosTokenId: number | null;
  /** Ids that end a generation; the first is the one to end a training answer with. May be empty. */
  readonly stopTokenIds: readonly number[];
  readonly hasChatTemplate: boolean;
  /** The text of a conversation; throws `TokenizerError` without a template. */
  readonly renderChat: ChatRenderer;
}

/** As many tokens of context as a character or a word boundary can depend on. */
const CONTEXT_TOKENS = 8;

type Json = Readonly<Record<string, unknown>>;

function asRecord(value: unknown, file: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TokenizerError(`${file} is not a JSON object.`);
  return Object.fromEntries(Object.entries(value));
}

/** What a file that no tokenizer can be made of makes the library throw, as an error that says so. */
function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TokenizerError(`tokenizer.json cannot be used: ${reason}`);
  }
}

function openCodec(tokenizerJson: Json, tokenizerConfig: Json): Codec {
  checkIds(tokenizerJson);
  return guarded(() => new Codec(tokenizerJson, tokenizerConfig));
}

/** The text of a special token, which files write as a string or as an object with `content`. */
function specialToken(config: Json, field: string): string | null {
  const value = config[field];
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "content" in value && typeof value.content === "string")
    return value.content;
  return null;
}

function readStopTokenIds(
  generationConfig: Json,
  eosTokenId: number | null,
  vocabularySize: number,
): number[] {
  const value = generationConfig["eos_token_id"] ?? eosTokenId ?? [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.map((id) => {
    if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < vocabularySize) return id;
    throw new TokenizerError(
      `generation_config.json: eos_token_id is ${JSON.stringify(value)}, expected ids below ${vocabularySize}.`,
    );
  });
}

/** Ids that the model has rows for; throws `TokenizerError` for one that the tokenizer's own parts made up. */
function checkedIds(ids: readonly unknown[], vocabularySize: number): number[] {
  const wrong = ids.findIndex(
    (id) => !Number.isInteger(id) || Number(id) < 0 || Number(id) >= vocabularySize,
  );
  if (wrong < 0) return ids as number[];
  throw new TokenizerError(
    `tokenizer.json: it gives the id ${String(ids[wrong])}, expected ids below ${vocabularySize}.`,
  );
}

interface EncoderOptions {
  /** What the configuration says of BOS. */
  readonly addsBos: unknown;
  readonly bosTokenId: number | null;
  readonly vocabularySize: number;
}

function createEncoder(
  codec: Codec,
  { addsBos, bosTokenId, vocabularySize }: EncoderOptions,
): Tokenizer["encode"] {
  return (text, { addSpecialTokens }) => {
    const isBosDecided = typeof addsBos === "boolean" && bosTokenId !== null;
    const withSpecial = addSpecialTokens && !(isBosDecided && !addsBos);
    const ids = checkedIds(
      guarded(() => codec.encode(text, { add_special_tokens: withSpecial }).ids),
      vocabularySize,
    );
    if (!withSpecial) return ids;
    if (isBosDecided && ids[0] !== bosTokenId) ids.unshift(bosTokenId);
    // A text that spells BOS itself must not begin with two.
    const repeated = ids.findIndex((id) => id !== bosTokenId) - 1;
    return repeated > 0 ? ids.slice(repeated) : ids;
  };
}

function createDecoder(codec: Codec, cleansSpaces: boolean) {
  const special = new Map<number, string>();
  for (const [id, { content, special: isSpecial }] of codec.get_added_tokens_decoder())
    if (isSpecial) special.set(id, content);
  const isPlain = (id: number) => !special.has(id);
  const decodePlain = (ids: number[]): string =>
    ids.length === 0
      ? ""
      : guarded(() =>
          codec.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: cleansSpaces }),
        );
  const contextOf = (after: readonly number[] = []) => after.filter(isPlain).slice(-CONTEXT_TOKENS);
  const decode: Tokenizer["decode"] = (ids, options) => {
    const context = contextOf(options?.after);
    return decodePlain([...context, ...ids.filter(isPlain)]).slice(decodePlain(context).length);
  };
  const decodeTokens: Tokenizer["decodeTokens"] = (ids, options) => {
    const texts = displayTexts(decodePlain, ids.filter(isPlain), contextOf(options?.after));
    let plain = 0;
    return ids.map((id) => (isPlain(id) ? (texts[plain++] ?? "") : ""));
  };
  return { decode, decodeTokens, specialTokens: special };
}

/**
 * Opens the tokenizer of a model folder. Throws `TokenizerError` when a file does not fit.
 * Byte-pair, WordPiece and Unigram encoding are Hugging Face's; BOS, stopping and display are decided here.
 */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const config = asRecord(files.tokenizerConfig, "tokenizer_config.json");
  const generationConfig = asRecord(files.generationConfig ?? {}, "generation_config.json");
  const codec = openCodec(asRecord(files.tokenizerJson, "tokenizer.json"), config);
  let vocabularySize = 0;
  for (const id of codec.get_vocab().values()) vocabularySize = Math.max(vocabularySize, id + 1);
  const idOf = (token: string | null) => (token === null ? null : (codec.token_to_id(token) ?? null));
  const bosToken = specialToken(config, "bos_token");
  const eosToken = specialToken(config, "eos_token");
  const bosTokenId = idOf(bosToken);
  const template = files.chatTemplate ?? findChatTemplate(config["chat_template"]);
  const renderChat: ChatRenderer =
    template === null
      ? () => {
          throw new TokenizerError("This tokenizer has no chat template.");
        }
      : createChatRenderer(template, { bosToken: bosToken ?? "", eosToken: eosToken ?? "" });
  return {
    encode: createEncoder(codec, { addsBos: config["add_bos_token"], bosTokenId, vocabularySize }),
    ...createDecoder(codec, config["clean_up_tokenization_spaces"] === true),
    vocabularySize,
    bosTokenId,
    stopTokenIds: readStopTokenIds(generationConfig, idOf(eosToken), vocabularySize),
    hasChatTemplate: template !== null,
    renderChat,
  };
}
