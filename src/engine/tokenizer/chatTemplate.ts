import { Template } from "@huggingface/jinja";
import { TokenizerError } from "./tokenizerError.ts";

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** Words that a template may print around messages. */
export interface TemplateTokens {
  readonly bosToken: string;
  readonly eosToken: string;
}

/** Writes messages as the text that the model was trained to read. */
export type ChatRenderer = (
  messages: readonly ChatMessage[],
  options: { readonly addGenerationPrompt: boolean },
) => string;

/** The template text of a tokenizer config: a string, or the entry `default` of a list; null when there is none. */
export function findChatTemplate(chatTemplate: unknown): string | null {
  if (chatTemplate === undefined || chatTemplate === null) return null;
  if (typeof chatTemplate === "string") return chatTemplate;
  const entries: unknown[] = Array.isArray(chatTemplate) ? chatTemplate : [];
  for (const entry of entries) {
    if (typeof entry !== "object" || entry === null) continue;
    if (
      "name" in entry &&
      "template" in entry &&
      entry.name === "default" &&
      typeof entry.template === "string"
    )
      return entry.template;
  }
  throw new TokenizerError('chat_template is neither a text nor a list with an entry named "default".');
}

/** Compiles a Jinja chat template. Throws `TokenizerError` for a template that cannot be read or that refuses a turn. */
export function createChatRenderer(template: string, tokens: TemplateTokens): ChatRenderer {
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TokenizerError(`The chat template cannot be used: ${reason}`);
    }
  };
  const compiled = guarded(() => new Template(template));
  return (messages, { addGenerationPrompt }) =>
    guarded(() =>
      compiled.render({
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: addGenerationPrompt,
        bos_token: tokens.bosToken,
        eos_token: tokens.eosToken,
      }),
    );
}
