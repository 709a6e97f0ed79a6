/** Proves that the lint rules bite: every offending snippet is refused, every permitted one passes. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, describe, it } from "node:test";
import { projectRoot, run } from "./run.mjs";

const runtimeImport = (path) => `import { thing } from "${path}";\nexport const used = thing;\n`;
const typeImport = (path) => `import type { Thing } from "${path}";\nexport type Used = Thing;\n`;

const refusedImports = [
  ["src/engine/losses/a.ts", "../../state/setupStore.ts"],
  ["src/engine/training/a.ts", "../../worker/protocol.ts"],
  ["src/engine/data/formats/a.ts", "../../../storage/weights.ts"],
  ["src/engine/a.ts", "../ui/App.tsx"],
  ["src/engine/training/b.test.ts", "../../ui/App.tsx"],
  ["src/engine/losses/b.ts", "@tensorflow/tfjs-core"],
  ["src/engine/kernels/add/add.test.ts", "@tensorflow/tfjs-core"],
  ["src/worker/a.ts", "@tensorflow/tfjs-core"],
  ["src/state/a.ts", "@tensorflow/tfjs-core"],
  ["src/ui/a.ts", "@tensorflow/tfjs-backend-cpu"],
  ["src/engine/tensor/a.ts", "react"],
  ["src/worker/b.ts", "@mantine/core"],
  ["src/state/b.ts", "recharts"],
  ["src/state/c.ts", "react"],
  ["src/storage/a.ts", "react-dom/client"],
  ["src/main.tsx", "recharts"],
  ["src/main.tsx", "./storage/opfs.ts"],
  ["src/engine/training/c.ts", "zustand"],
  ["src/worker/c.ts", "zustand/vanilla"],
  ["src/engine/tensor/b.ts", "../kernels/matmul/matmul.ts"],
  ["src/engine/kernels/matmul/a.ts", "../../models/decoder.ts"],
  ["src/engine/models/a.ts", "../generation/sample.ts"],
  ["src/engine/models/b.ts", "../losses/dpo.ts"],
  ["src/engine/sae/a.ts", "../models/decoder.ts"],
  ["src/engine/sae/layouts/a.ts", "../../data/batch.ts"],
  ["src/engine/features/a.ts", "../generation/generate.ts"],
  ["src/engine/features/b.ts", "../training/train.ts"],
  ["src/engine/generation/b.ts", "../features/featureTable.ts"],
  ["src/engine/sae/d.ts", "../features/featureTable.ts"],
  ["src/engine/sae/training/a.ts", "../../losses/dpo.ts"],
  ["src/engine/losses/c.ts", "../models/decoder.ts"],
  ["src/engine/losses/d.ts", "../data/batch.ts"],
  ["src/engine/data/a.ts", "../tokenizer/tokenizer.ts"],
  ["src/engine/data/c.ts", "../files/fileBytes.ts"],
  ["src/engine/data/containers/a.ts", "../../losses/dpo.ts"],
  ["src/engine/tokenizer/a.ts", "../files/safetensors.ts"],
  ["src/engine/files/a.ts", "../models/decoder.ts"],
  ["src/engine/judges/a.ts", "../losses/dpo.ts"],
  ["src/engine/judges/b.ts", "../data/random.ts"],
  ["src/engine/search/a.ts", "../data/random.ts"],
  ["src/engine/generation/a.ts", "../training/train.ts"],
  ["src/engine/generation/a.ts", "../export/trl/trlProject.ts"],
  ["src/engine/generation/c.ts", "../rewardModel/rewardModel.ts"],
  ["src/engine/judges/b.ts", "../rewardModel/rewardModel.ts"],
  ["src/engine/rewardModel/a.ts", "../../worker/protocol.ts"],
  ["src/storage/b.ts", "../engine/files/safetensors.ts"],
  ["src/storage/c.ts", "../state/setupStore.ts"],
  ["src/storage/e.ts", "../worker/protocol.ts"],
  ["src/worker/d.ts", "../state/setupStore.ts"],
  ["src/worker/e.ts", "../ui/App.tsx"],
  ["src/state/d.ts", "../engine/training/train.ts"],
  ["src/state/e.ts", "../worker/session.ts"],
  ["src/state/f.ts", "../ui/App.tsx"],
  ["src/state/g.ts", "../storage/weights.ts"],
  ["src/ui/b.tsx", "../engine/losses/dpo.ts"],
  ["src/ui/pages/train/c.tsx", "../../../worker/rpc.ts"],
  ["src/ui/d.tsx", "../storage/weights.ts"],
  ["src/ui/charts/a.tsx", "../../state/runStore.ts"],
  ["bench/a.ts", "@tensorflow/tfjs-core"],
].map(([file, path]) => ({ file, source: runtimeImport(path), rule: "eslint(no-restricted-imports)" }));

const refusedTypeImports = [
  ["src/engine/losses/e.ts", "../models/decoder.ts"],
  ["src/engine/losses/f.ts", "../../state/setupStore.ts"],
  ["src/storage/f.ts", "../worker/protocol.ts"],
].map(([file, path]) => ({ file, source: typeImport(path), rule: "eslint(no-restricted-imports)" }));

const refusedCode = [
  { file: "src/engine/g.ts", source: "export const now = Date.now();\n", rule: "no-restricted-properties" },
  { file: "src/engine/h.ts", source: "export const x = Math.random();\n", rule: "no-restricted-properties" },
  {
    file: "src/worker/f.ts",
    source: "export const read = (tensor) => tensor.dataSync();\n",
    rule: "no-restricted-properties",
  },
  { file: "src/engine/i.ts", source: 'export const page = fetch("/");\n', rule: "no-restricted-globals" },
  { file: "src/ui/e.tsx", source: "export default 1;\n", rule: "import(no-default-export)" },
  { file: "src/state/h.ts", source: "export const x: any = 1;\n", rule: "no-explicit-any" },
  {
    file: "src/state/i.ts",
    source: `export const x = 1;\n${"// one more line\n".repeat(400)}`,
    rule: "eslint(max-lines)",
  },
  {
    file: "src/state/cycleA.ts",
    source: 'import { b } from "./cycleB.ts";\nexport const a = () => b;\n',
    rule: "import(no-cycle)",
  },
  {
    file: "src/state/cycleB.ts",
    source: 'import { a } from "./cycleA.ts";\nexport const b = () => a;\n',
    rule: "import(no-cycle)",
  },
];

const permittedImports = [
  ["src/engine/tensor/c.ts", "@tensorflow/tfjs-core", runtimeImport],
  ["src/engine/kernels/add/b.ts", "../../tensor/op.ts", runtimeImport],
  ["src/engine/models/c.ts", "../kernels/add/add.ts", runtimeImport],
  ["src/engine/sae/b.ts", "../kernels/add/add.ts", runtimeImport],
  ["src/engine/sae/c.ts", "../data/batch.ts", typeImport],
  ["src/engine/features/c.ts", "../models/decoder.ts", runtimeImport],
  ["src/engine/features/d.ts", "../tokenizer/tokenizer.ts", typeImport],
  ["src/engine/sae/training/b.ts", "../../models/openPass.ts", runtimeImport],
  ["src/engine/sae/training/c.ts", "../../training/optimizer.ts", runtimeImport],
  ["src/engine/losses/g.test.ts", "../models/decoder.ts", runtimeImport],
  ["src/engine/training/d.ts", "../generation/sample.ts", runtimeImport],
  ["src/engine/rewardModel/b.ts", "../training/optimizer.ts", runtimeImport],
  ["src/engine/online/a.ts", "../rewardModel/rewardModel.ts", runtimeImport],
  ["src/engine/export/a.ts", "../training/batches.ts", runtimeImport],
  ["src/engine/data/b.ts", "../tokenizer/tokenizer.ts", typeImport],
  ["src/engine/judges/c.ts", "../search/textSearch.ts", runtimeImport],
  ["src/engine/data/containers/b.ts", "../../files/fileBytes.ts", runtimeImport],
  ["src/storage/d.ts", "../engine/files/safetensors.ts", typeImport],
  ["src/worker/g.ts", "../engine/training/train.ts", runtimeImport],
  ["src/worker/h.ts", "../storage/weights.ts", runtimeImport],
  ["src/state/j.ts", "../engine/training/config.ts", runtimeImport],
  ["src/state/m.ts", "../engine/sae/training/saeSettings.ts", runtimeImport],
  ["src/state/k.ts", "../engine/losses/dpo.ts", typeImport],
  ["src/state/l.ts", "../worker/rpc.ts", runtimeImport],
  ["src/state/m.ts", "../worker/protocol.ts", runtimeImport],
  ["src/state/n.ts", "zustand/vanilla", runtimeImport],
  ["src/ui/f.tsx", "../engine/losses/dpo.ts", typeImport],
  ["src/ui/g.tsx", "../worker/protocol.ts", typeImport],
  ["src/ui/h.tsx", "../state/runStore.ts", runtimeImport],
  ["src/ui/i.tsx", "@mantine/core", runtimeImport],
  ["src/ui/charts/b.tsx", "recharts", runtimeImport],
].map(([file, path, write]) => ({ file, source: write(path) }));

const refused = [...refusedImports, ...refusedTypeImports, ...refusedCode];

/** Lints every snippet at its own path in a folder of its own; resolves to path → rules that spoke. */
async function lint(snippets) {
  const folder = await mkdtemp(join(tmpdir(), "prefscope-lint-"));
  try {
    const config = JSON.parse(await readFile(join(projectRoot, ".oxlintrc.json"), "utf8"));
    // The snippets' imports do not exist, so there are no types to ask for.
    const configFile = join(folder, ".oxlintrc.json");
    await writeFile(configFile, JSON.stringify({ ...config, options: {} }));
    for (const { file, source } of snippets) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), source);
    }
    const { output } = await run("oxlint", ["--format=json"], { cwd: folder, quiet: true });
    const spoken = new Map();
    for (const { filename, code } of JSON.parse(output).diagnostics)
      spoken.set(filename, [...(spoken.get(filename) ?? []), code]);
    return spoken;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("lint rules", () => {
  /** @type {Map<string, string[]>} */
  let spoken = new Map();
  before(async () => {
    spoken = await lint([...refused, ...permittedImports]);
  });

  for (const { file, source, rule } of refused)
    it(`refuse ${file}: ${source.split("\n")[0]}`, () => {
      const rules = spoken.get(file) ?? [];
      assert.ok(
        rules.some((code) => code.includes(rule)),
        `${rule} said nothing`,
      );
    });

  for (const { file, source } of /** @type {{ file: string, source: string }[]} */ (permittedImports))
    it(`permit ${file}: ${source.split("\n")[0]}`, () => {
      assert.deepEqual(spoken.get(file) ?? [], []);
    });
});
