/** The fixture model and what an independent float64 implementation made of it. */
import { loadModel, type LoadedModel, type ModelFile } from "../models/loadModel.ts";
import { readFixture, readFixtureText } from "./fixtures.ts";

const FOLDER = "models/stories260K/hf";

/** Log-probs of a continuation of the prompt. */
export interface ReferenceContinuation {
  readonly text: string;
  readonly prompt_ids: readonly number[];
  /** Prompt and continuation. */
  readonly full_ids: readonly number[];
  readonly token_logprobs: readonly number[];
  readonly sum_logprob: number;
}

/** The reference file; sizes are those of whichever model lies in the folder. */
export interface StoriesReference {
  readonly prompt: string;
  readonly prompt_ids: readonly number[];
  /** [vocabulary], after the last prompt token */
  readonly last_logits: readonly number[];
  readonly argmax: number;
  /** [hidden] by layer, at the last prompt token */
  readonly residual_after_layer: Readonly<Record<string, readonly number[]>>;
  readonly chosen: ReferenceContinuation;
  readonly rejected: ReferenceContinuation;
}

/** Files of the fixture model, as `loadModel` takes them. */
export async function readStoriesFiles(): Promise<ModelFile[]> {
  const names = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
  ];
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFixture(`${FOLDER}/${name}`);
      if (bytes === null) throw new Error(`The fixture ${name} is missing.`);
      return { name, bytes };
    }),
  );
}

/** The fixture model on the active device, with its reference. */
export async function openStories(): Promise<LoadedModel & { readonly reference: StoriesReference }> {
  const text = await readFixtureText(`${FOLDER}/reference.json`);
  if (text === null) throw new Error("The fixture reference.json is missing.");
  return { ...(await loadModel(await readStoriesFiles())), reference: JSON.parse(text) as StoriesReference };
}
