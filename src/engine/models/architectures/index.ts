import type { ArchitectureName } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { gpt2 } from "./gpt2.ts";
import { gptNeox } from "./gptNeox.ts";
import { llama } from "./llama.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { smollm3 } from "./smollm3.ts";

/** Every family of models that can be loaded; each is held to golden files in `tools/golden`. */
export const architectures: readonly Architecture[] = [
  llama,
  gpt2,
  gptNeox,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  smollm3,
];

/** The family of a configuration. */
export function architectureOf({ architecture }: { readonly architecture: ArchitectureName }): Architecture {
  return architectures.find(({ modelType }) => modelType === architecture) ?? llama;
}
