/** Recognises what GGUF has a name for in a tokenizer.json. */
import { TokenizerError } from "../tokenizerError.ts";
import { preTokenizers } from "./preTokenizers.ts";
import { SPACE } from "./scoredMerges.ts";

type Json = Readonly<Record<string, unknown>>;

function refuse(reason: string): never {
  throw new TokenizerError(`This tokenizer cannot be written into a GGUF file: ${reason}`);
}

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

/** The steps of a normalizer or pre-tokenizer, a sequence or one. */
function stepsOf(value: unknown, list: string): Json[] {
  const record = asRecord(value);
  if (value === null || value === undefined) return [];
  const steps: unknown[] = Array.isArray(record[list]) ? record[list] : [value];
  return steps.map(asRecord);
}

/** What matters of a step that cuts a text, in one spelling. */
function spell(step: Json): string {
  switch (step["type"]) {
    case "Digits":
      return step["individual_digits"] === true ? "Split \\p{N} Isolated" : "Digits";
    case "Split": {
      const { Regex, String: text } = asRecord(step["pattern"]);
      const inverted = step["invert"] === true ? " inverted" : "";
      return `Split ${String(Regex ?? text)} ${String(step["behavior"])}${inverted}`;
    }
    case "ByteLevel":
      return `ByteLevel ${step["use_regex"] !== false} ${step["add_prefix_space"] === true}`;
    default:
      return String(step["type"]);
  }
}

function spellAll(preTokenizer: unknown): string {
  return stepsOf(preTokenizer, "pretokenizers").map(spell).join(", then ");
}

/** `tokenizer.ggml.pre` of a byte-level tokenizer; throws `TokenizerError` where GGUF's names do not cover it. */
export function findPreTokenizerName(json: Json): string {
  const own = spellAll(json["pre_tokenizer"]);
  const normalizers = stepsOf(json["normalizer"], "normalizers").map(({ type }) => String(type));
  const found = preTokenizers.find(({ preTokenizer }) => spellAll(preTokenizer) === own);
  if (found === undefined)
    return refuse(`GGUF has no name that is known here for its pre-tokenizer (${own}).`);
  const allowed = stepsOf(found.normalizer, "normalizers").map(({ type }) => String(type));
  if (normalizers.some((type) => !allowed.includes(type)))
    refuse(`its normalizer is ${normalizers.join(", ")}, expected ${allowed.join(", ") || "none"}.`);
  return found.names[0] ?? "default";
}

/** Whether a SentencePiece-like tokenizer puts a space before a text; throws `TokenizerError` for other changes of it. */
export function hasSpacePrefix(json: Json): boolean {
  let isReplaced = false;
  let isPrefixed = false;
  for (const step of stepsOf(json["normalizer"], "normalizers")) {
    if (step["type"] === "Prepend" && step["prepend"] === SPACE) isPrefixed = true;
    else if (
      step["type"] === "Replace" &&
      asRecord(step["pattern"])["String"] === " " &&
      step["content"] === SPACE
    )
      isReplaced = true;
    else refuse(`its normalizer has ${String(step["type"])}, expected a space's replacement.`);
  }
  for (const step of stepsOf(json["pre_tokenizer"], "pretokenizers")) {
    const isNothing = step["type"] === "Split" && asRecord(step["pattern"])["String"] === " " && isReplaced;
    if (isNothing) continue;
    if (step["type"] !== "Metaspace" || step["split"] === true)
      refuse(`its pre-tokenizer is ${spell(step)}, expected Metaspace that does not split.`);
    isReplaced = true;
    if (step["prepend_scheme"] !== "never") isPrefixed = true;
  }
  if (!isReplaced) refuse(`it does not write ${SPACE} for a space.`);
  return isPrefixed;
}
