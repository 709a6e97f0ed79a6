/** What the trainer of tests answers about models and adapters. */
import type { ModelCommands, ShelfAdapter, ShelfModel } from "../worker/protocol.ts";

const testModel: ShelfModel = {
  id: "hub:acme/tiny@abc1234",
  label: "acme/tiny",
  origin: "hub",
  source: "acme/tiny @ abc1234",
  license: "apache-2.0",
  files: [
    { name: "config.json", bytes: 700 },
    { name: "model.safetensors", bytes: 4_000_000 },
    { name: "tokenizer.json", bytes: 30_000 },
  ],
  presentBytes: 4_030_700,
  totalBytes: 4_030_700,
  addedAt: Date.UTC(2026, 10, 1),
  usedAt: null,
};

const testAdapter: ShelfAdapter = {
  id: "adapter:1",
  label: "kind endings, 60 steps",
  rank: 8,
  alpha: 16,
  targets: ["q_proj", "v_proj"],
  layers: 4,
  baseModel: "story",
  bytes: 120_000,
  origin: "run",
  addedAt: Date.UTC(2026, 10, 2),
  problem: null,
};

/** Answers by command. */
export const testModelAnswers: { [Name in keyof ModelCommands]: ModelCommands[Name]["answer"] } = {
  setHub: null,
  inspectHub: {
    repo: "acme/tiny",
    revision: "abc1234",
    architecture: "llama",
    parameters: 1_000_000,
    license: "apache-2.0",
    isGated: false,
    hasChatTemplate: true,
    variants: [
      {
        id: testModel.id,
        label: "Full weights (F16)",
        format: "safetensors",
        files: testModel.files,
        bytes: testModel.totalBytes,
        fit: {
          keep: { verdict: "fits", neededBytes: 6_000_000, availableBytes: 6_000_000 },
          f32: { verdict: "tight", neededBytes: 9_000_000, availableBytes: 9_500_000 },
          q4: { verdict: "fits", neededBytes: 3_000_000, availableBytes: 3_000_000 },
        },
        problem: null,
      },
    ],
  },
  downloadModel: testModel,
  pauseDownload: null,
  keepModel: { ...testModel, id: "disk:1", origin: "disk", source: "from a disk" },
  listShelf: {
    models: [testModel],
    adapters: [testAdapter],
    storage: {
      usedBytes: 5_000_000,
      quotaBytes: 2_000_000_000,
      isLasting: true,
      byKind: { models: 4_030_700, adapters: 120_000, reference: 400_000, other: 449_300 },
    },
  },
  removeFromShelf: {
    models: [],
    adapters: [],
    storage: {
      usedBytes: 0,
      quotaBytes: 2_000_000_000,
      isLasting: true,
      byKind: { models: 0, adapters: 0, reference: 0, other: 0 },
    },
  },
  importAdapter: { ...testAdapter, id: "adapter:2", origin: "imported", label: "imported" },
  keepAdapter: testAdapter,
  useAdapters: { adapters: [{ id: testAdapter.id, label: testAdapter.label, scale: 1 }], rank: 8 },
  exportModel: [{ name: "adapter_config.json", bytes: new Uint8Array(2) }],
  uploadModel: { url: "https://hub.test/acme/tiny-kind" },
  weightsPerplexity: { loaded: 5.2, kept: 5.1 },
};
