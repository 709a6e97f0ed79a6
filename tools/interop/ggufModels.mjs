/**
 * Writes the golden models as GGUF files and lets Python read them: `node tools/interop/ggufModels.mjs`. The logits of what
 * transformers makes of each file are compared with those of the model that it was written from (gguf_models.py).
 * `--python PATH` takes another interpreter, which needs torch, transformers, safetensors and gguf; with `--llama-cpp`
 * also xllamacpp, with which llama.cpp itself reads the files (llama_cpp_models.py).
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot, runScript } from "../scripts/run.mjs";

const run = promisify(execFile);

const { values: options } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    "llama-cpp": { type: "boolean", default: false },
  },
});

/** What has to change in a golden model's config.json so that llama.cpp knows the model. */
const changes = {
  "llama-llama3": {},
  "llama-linear": {},
  qwen2: { use_sliding_window: false, sliding_window: null, layer_types: null },
  qwen3: { use_sliding_window: false, sliding_window: null, layer_types: null },
  gemma2: { query_pre_attn_scalar: null },
  gemma3_text: { query_pre_attn_scalar: null },
};

async function readModel(load, name) {
  const folder = join(projectRoot, "tools", "golden", name);
  const text = await readFile(join(folder, "config.json"), "utf8");
  const json = JSON.parse(text);
  const change = { ...changes[name] };
  if (change.query_pre_attn_scalar === null) change.query_pre_attn_scalar = json.head_dim;
  const { openSafetensors } = await load("src/engine/files/safetensors.ts");
  const weights = new Uint8Array(await readFile(join(folder, "model.safetensors")));
  return {
    text,
    change,
    config: { ...json, ...change },
    weights,
    tensors: await openSafetensors(weights, "model.safetensors"),
  };
}

/** Single bytes, and what begins and ends a text. */
function tokenizerOf({ vocab_size: size }) {
  const special = ["<unk>", "<s>", "</s>"];
  const tokens = Array.from({ length: size }, (_, id) => special[id] ?? String.fromCodePoint(0x21 + id));
  return {
    tokenizerJson: {
      added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
    },
    tokenizerConfig: { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>", add_bos_token: true },
  };
}

async function writeCase(load, name, folder) {
  const { readModelConfig } = await load("src/engine/models/config.ts");
  const { writeModelGguf } = await load("src/engine/models/gguf/writeModel.ts");
  const { text, change, config, weights, tensors } = await readModel(load, name);
  await mkdir(folder);
  // As it was: in JavaScript's spelling a 3.0 is a 3, which transformers refuses.
  await writeFile(join(folder, "config.json"), text);
  await writeFile(join(folder, "changes.json"), JSON.stringify(change));
  await writeFile(join(folder, "model.safetensors"), weights);
  const { chunks } = writeModelGguf({
    config: readModelConfig(config, "config.json"),
    tensors,
    tokenizerFiles: tokenizerOf(config),
    weights: "F32",
    description: { name },
  });
  const file = await open(join(folder, "model.gguf"), "w");
  for await (const chunk of chunks()) await file.write(chunk);
  await file.close();
}

await runScript(async () => {
  const folder = await mkdtemp(join(tmpdir(), "gguf-"));
  try {
    await withEngine(async (load) => {
      for (const name of Object.keys(changes)) await writeCase(load, name, join(folder, name));
    });
    for (const name of ["gguf_models.py", ...(options["llama-cpp"] ? ["llama_cpp_models.py"] : [])]) {
      const { stdout } = await run(options.python, [join(projectRoot, "tools", "interop", name), folder]);
      console.log(`${name}\n${stdout.trimEnd()}`);
    }
    return 0;
  } catch (error) {
    console.error(error.stdout ?? "", error.stderr ?? error);
    return 1;
  } finally {
    await rm(folder, { recursive: true });
  }
});
