/** A model folder and a preference file small enough to train in a test, and a session that writes down what it says. */
import { createRandom } from "../engine/data/random.ts";
import { writeSafetensors } from "../engine/files/safetensors.ts";
import { saveSae } from "../engine/sae/saveSae.ts";
import { tinyArrays, tinyConfig } from "../engine/testing/tinyModel.ts";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import type { FileInMemory } from "../engine/files/fileBytes.ts";
import type { FileStore } from "../storage/fileStore.ts";
import type { FetchFile } from "./library.ts";
import type { WorkerEvent } from "./protocol.ts";
import { replySchema } from "./schemas.ts";
import { createSession, type Handlers } from "./session.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");
/** How byte-level tokenizers write a space. */
const SPACE = "\u0120";

/** A byte-level tokenizer of the letters, the space, the full stop and a few merges. */
function tokenizerJson(): unknown {
  const tokens = ["<unk>", "<s>", "</s>", ...LETTERS, SPACE, ".", "th", `${SPACE}i`];
  return {
    version: "1.0",
    added_tokens: [1, 2].map((id) => ({ id, content: tokens[id], special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [
        ["t", "h"],
        [SPACE, "i"],
      ],
    },
  };
}

/** The files of a tiny model's folder. */
export function tinyModelFiles(seed = 1): FileInMemory[] {
  return [
    {
      name: "config.json",
      bytes: encode({
        architectures: ["LlamaForCausalLM"],
        hidden_size: tinyConfig.hiddenSize,
        intermediate_size: tinyConfig.intermediateSize,
        num_hidden_layers: tinyConfig.layers,
        num_attention_heads: tinyConfig.heads,
        num_key_value_heads: tinyConfig.keyValueHeads,
        vocab_size: tinyConfig.vocabularySize,
        max_position_embeddings: tinyConfig.maxPositions,
        rms_norm_eps: tinyConfig.rmsNormEpsilon,
        tie_word_embeddings: tinyConfig.hasTiedEmbeddings,
      }),
    },
    { name: "tokenizer.json", bytes: encode(tokenizerJson()) },
    {
      name: "tokenizer_config.json",
      bytes: encode({ bos_token: "<s>", eos_token: "</s>", add_bos_token: true }),
    },
    { name: "model.safetensors", bytes: writeSafetensors(tinyArrays({ seed })) },
  ];
}

/** The files of a random autoencoder of the tiny model's last layer. */
export function tinySaeFiles({
  inputSize = tinyConfig.hiddenSize,
  width = 12,
  seed = 5,
} = {}): FileInMemory[] {
  const random = createRandom(seed);
  const matrix = () => Float32Array.from({ length: width * inputSize }, () => random.gaussian());
  const layer = tinyConfig.layers - 1;
  const files = saveSae({
    inputSize,
    width,
    layer,
    hook: `blocks.${layer}.hook_resid_post`,
    modelName: "tiny",
    encoder: matrix(),
    bias: new Float32Array(width),
    threshold: new Float32Array(width).fill(0.1),
    decoder: matrix(),
    decoderBias: new Float32Array(inputSize),
  });
  return files.map(({ name, bytes }) => ({ name, bytes }));
}

/** A file of 30 pairs with a prompt of their own each. */
export function tinyDataFile(): FileInMemory {
  const rows = Array.from({ length: 30 }, (_, index) => {
    const name = `${LETTERS[index % LETTERS.length] ?? ""}${index < LETTERS.length ? "a" : "o"}`;
    return {
      prompt: `the ${name}`,
      chosen: ` is ${name} and kind.`,
      rejected: ` is ${"sad".repeat(1 + (index % 3))}`,
    };
  });
  const text = rows.map((row) => JSON.stringify(row)).join("\n");
  return { name: "pairs.jsonl", bytes: new TextEncoder().encode(text) };
}

/** Six steps of four pairs, evaluated every third. */
export const tinyRunConfig: RunConfig = {
  ...defaultConfig,
  model: "local",
  data: "local",
  loraRank: 2,
  loraAlpha: 4,
  learningRate: 0.01,
  schedule: "constant",
  warmupSteps: 0,
  steps: 6,
  batchPairs: 4,
  evalEvery: 3,
  evalPairs: 6,
  samplePrompts: 3,
  sampleTokens: 4,
  maxTokens: 32,
  backend: "cpu",
};

/** A session whose events are checked at the wall and kept. */
export interface Studio {
  readonly session: Handlers;
  readonly events: WorkerEvent[];
  /** Resolves with the first event, from the given place on, that fits. */
  readonly heard: <Found extends WorkerEvent>(
    fits: (event: WorkerEvent) => event is Found,
    from?: number,
  ) => Promise<Found>;
}

function fetchNothing(path: string): Promise<never> {
  return Promise.reject(new Error(`"${path}" could not be loaded (404).`));
}

/** Opens a session on the cpu, with files from nowhere; it keeps nothing unless it is told where. */
export function openStudio(store?: FileStore, fetchFile: FetchFile = fetchNothing): Studio {
  const events: WorkerEvent[] = [];
  const session = createSession({
    emit: (event) => {
      const reply = replySchema.parse(structuredClone({ kind: "event", event }));
      if (reply.kind === "event") events.push(reply.event);
    },
    fetchFile,
    ...(store === undefined ? {} : { store: Promise.resolve(store) }),
  });
  return {
    session,
    events,
    heard: async (fits, from = 0) => {
      for (;;) {
        const found = events.slice(from).find(fits);
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
  };
}
