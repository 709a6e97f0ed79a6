/** What leaves the studio: an adapter, the whole weights or a GGUF file, each with a tokenizer, its settings and a card. */
import { trainableShape } from "../engine/adapters/lora.ts";
import { writePeftAdapter } from "../engine/adapters/peft.ts";
import { rankOf, sumAdapters } from "../engine/adapters/standing.ts";
import { isQuantised, mergedTensors, type ModelChange } from "../engine/export/mergedTensors.ts";
import { modelCard, type CardRun } from "../engine/export/modelCard.ts";
import { roundedTensors, roundingLayout } from "../engine/export/roundedTensors.ts";
import { safetensorsFolder, wholeFile, type StreamedFile } from "../engine/export/safetensorsFolder.ts";
import type { NamedArray } from "../engine/files/safetensors.ts";
import { architectureOf } from "../engine/models/architectures/index.ts";
import { toCheckpoint } from "../engine/models/checkpoint.ts";
import { adaptersByModule, toCheckpointAdapters } from "../engine/models/checkpointAdapters.ts";
import type { ModelConfig } from "../engine/models/config.ts";
import type { Model } from "../engine/models/decoder.ts";
import { writeModelGguf } from "../engine/models/gguf/writeModel.ts";
import type { ModelSource } from "../engine/models/modelSource.ts";
import { evenSum, namedSum } from "../engine/models/hostAdapter.ts";
import type { TokenizerFiles } from "../engine/tokenizer/tokenizer.ts";
import type { BaseWeights } from "../engine/training/config.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { objectiveOf } from "./configProblems.ts";
import { refuse } from "./errorReport.ts";
import type { TrainedRun } from "./lastPolicy.ts";
import { makeLeaving } from "./leaving.ts";
import type { ExportKind, LeavingFile, StandingAdapters } from "./modelProtocol.ts";

/** The files that the loaded model came from, of which tensors are read one by one. */
export type ExportBase = Pick<ModelSource, "tensors" | "tokenizer" | "configJson">;

/** The last run with what the card says of it. */
export interface ExportedRun extends TrainedRun, Pick<CardRun, "data" | "before" | "after"> {}

/** What an export is made from. */
export interface ExportSources {
  readonly owner: { readonly id: string; readonly model: Model };
  /** Asked for only where it is needed. */
  readonly base: () => Promise<ExportBase>;
  /** Null where nothing was trained. */
  readonly run: ExportedRun | null;
  /** The adapters that stand on the model. */
  readonly standing: StandingAdapters["adapters"];
  readonly license: string | null;
  /** How the base was put on the device: what was rounded there to few bits is merged as it was rounded. */
  readonly weights: BaseWeights;
  readonly store: FileStore;
}

/** Makes the files of one kind, or one zip archive of them. */
export async function exportModel(
  { kind, isZip }: { readonly kind: ExportKind; readonly isZip: boolean },
  sources: ExportSources,
): Promise<readonly LeavingFile[]> {
  const files = await exportedFiles(kind, sources);
  const zipName = isZip ? `${fileName(sources.owner.id)}-${kind}.zip` : null;
  return makeLeaving(files, { store: sources.store, zipName });
}

/** PEFT's two files of the last run, or of the sum of what stands on the model. Refuses where there is no adapter. */
export function adapterOf({
  owner,
  run,
}: Pick<ExportSources, "owner" | "run">): { name: string; bytes: Uint8Array }[] {
  const { config, standing } = owner.model;
  const baseModel = baseName(owner.id);
  if (run !== null) {
    if (run.config.tuning === "full") {
      refuse("RUN-1", "The last run trained all weights, and has no adapter: save the merged model.");
    }
    const trained = toCheckpointAdapters(config, trainedArrays(owner.model, run), run.config.loraAlpha);
    return writePeftAdapter(trained.arrays, { ...trained, baseModel });
  }
  if (standing === undefined) {
    return refuse(
      "RUN-1",
      "There is no adapter to save yet: train at least one step, or put one on the model.",
    );
  }
  // Its scales are within B already: alpha is the rank.
  const arrays = namedSum(evenSum(standing.sum, config));
  const written = toCheckpointAdapters(config, arrays, rankOf(standing.sum));
  return writePeftAdapter(written.arrays, { ...written, baseModel });
}

async function exportedFiles(kind: ExportKind, sources: ExportSources): Promise<StreamedFile[]> {
  const { owner, run } = sources;
  const base = await basedOn(sources);
  if (kind === "adapter") {
    const adapter = adapterOf(sources).map(({ name, bytes }) => wholeFile(name, bytes));
    return [...adapter, ...tokenizerFiles(base.tokenizer), ...described(kind, sources, base)];
  }
  const { config } = owner.model;
  const tensors = mergedTensors(config, base.tensors, changeOf(sources));
  if (kind === "merged") {
    return [
      ...safetensorsFolder(tensors),
      configFile(configJson(config, base, tensors.values().next().value?.type ?? "F32")),
      ...tokenizerFiles(base.tokenizer),
      ...described(kind, sources, base),
    ];
  }
  const baseModel = baseName(owner.id);
  const file = writeModelGguf({
    config,
    tensors,
    tokenizerFiles: base.tokenizer,
    weights: kind === "gguf-f16" ? "F16" : "Q8_0",
    description: {
      name: fileName(owner.id) + (run === null ? "" : ` ${run.config.method}`),
      ...(sources.license === null ? {} : { license: sources.license }),
      ...(isOnHub(owner.id) ? { baseModel } : {}),
    },
  });
  return [{ name: ggufName(owner.id, kind), ...file }, ...described(kind, sources, base)];
}

/** The base as the device had it. */
async function basedOn({ owner, base, weights }: ExportSources): Promise<ExportBase> {
  const files = await base();
  const layout = roundingLayout(weights);
  if (layout === null) return files;
  return { ...files, tensors: roundedTensors(owner.model.config, files.tensors, layout) };
}

/** What is different from the model's files. */
function changeOf({ owner, run }: ExportSources): ModelChange {
  const { model } = owner;
  const nothing: ModelChange = { sum: new Map(), replaced: new Map() };
  if (run === null) return { ...nothing, sum: model.standing?.sum ?? new Map() };
  const arrays = trainedArrays(model, run);
  if (run.config.tuning === "full") return { ...nothing, replaced: toCheckpoint(model.config, arrays) };
  const scale = run.config.loraAlpha / run.config.loraRank;
  return { ...nothing, sum: sumAdapters([{ modules: adaptersByModule(arrays), scaleOf: () => scale }]) };
}

function trainedArrays(model: Model, { config, checkpoint }: TrainedRun): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  for (const [name, values] of Object.entries(checkpoint.tensors)) {
    // The optimizer's moments have no shape here.
    const shape = trainableShape(model, name, config.loraRank);
    if (shape !== null) arrays.set(name, { shape, values });
  }
  return arrays;
}

const torchTypes = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

function configJson(
  config: ModelConfig,
  { configJson: own }: ExportBase,
  type: keyof typeof torchTypes,
): unknown {
  const { modelType, className } = architectureOf(config);
  // Newer files name the type otherwise; the weights have one type now.
  const { dtype: _dtype, ...others } = own as Record<string, unknown>;
  // Some files name one of the two.
  return {
    architectures: [className],
    model_type: modelType,
    ...others,
    torch_dtype: torchTypes[type],
  };
}

/** Numbers that transformers 5 refuses without a decimal point, which JavaScript leaves out. */
const FLOATS = /("(?:attn|final)_logit_softcapping": \d+)(?=,|\n)/g;

function configFile(config: unknown): StreamedFile {
  return text("config.json", `${JSON.stringify(config, null, 2).replaceAll(FLOATS, "$1.0")}\n`);
}

function tokenizerFiles({
  tokenizerJson,
  tokenizerConfig,
  generationConfig,
  chatTemplate,
}: TokenizerFiles): StreamedFile[] {
  return [
    json("tokenizer.json", tokenizerJson),
    json("tokenizer_config.json", tokenizerConfig),
    ...(generationConfig === undefined ? [] : [json("generation_config.json", generationConfig)]),
    ...(chatTemplate === undefined ? [] : [text("chat_template.jinja", chatTemplate)]),
  ];
}

/** The card, and a run's whole configuration. */
function described(kind: ExportKind, sources: ExportSources, base: ExportBase): StreamedFile[] {
  const { owner, run, standing, license, weights } = sources;
  const card = modelCard({
    kind,
    baseModel: baseName(owner.id),
    isOnHub: isOnHub(owner.id),
    license,
    run: run === null ? null : { ...run, method: objectiveOf(run.config).label, steps: run.checkpoint.step },
    standing,
    isFromQuantised: isQuantised(base.tensors),
    trainedOn: weights === "keep" ? null : weights,
    file: ggufName(owner.id, kind),
  });
  return [text("README.md", card), ...(run === null ? [] : [json("training_args.json", run.config)])];
}

function json(name: string, value: unknown): StreamedFile {
  return text(name, `${JSON.stringify(value, null, 2)}\n`);
}

function text(name: string, content: string): StreamedFile {
  return wholeFile(name, new TextEncoder().encode(content));
}

function isOnHub(id: string): boolean {
  return id.startsWith("hub:");
}

/** The repository of a model from the Hub, and the plain name of any other. */
function baseName(id: string): string {
  return /^hub:([^@#]+)/.exec(id)?.[1] ?? id.replace(/^disk:/, "");
}

/** The last part of the name, as every file system takes it. */
function fileName(id: string): string {
  const last = baseName(id).split("/").at(-1) ?? "";
  return last.replaceAll(/[^\w.-]+/g, "-") || "model";
}

function ggufName(id: string, kind: ExportKind): string {
  return `${fileName(id)}-${kind === "gguf-q8" ? "q8_0" : "f16"}.gguf`;
}
