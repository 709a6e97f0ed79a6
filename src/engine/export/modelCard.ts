/** The README of what leaves the studio: what it is, how it was made, what came of it, and how to load it. */
import type { RunConfig } from "../training/config.ts";

/** A form in which a model leaves. */
export type CardKind = "adapter" | "merged" | "gguf-f16" | "gguf-q8";

/** What a run was and what came of it. */
export interface CardRun {
  readonly config: RunConfig;
  /** The method by its name. */
  readonly method: string;
  /** Optimizer steps that were taken. */
  readonly steps: number;
  readonly data: {
    readonly label: string;
    readonly trainPairs: number;
    readonly heldoutPairs: number;
  } | null;
  /** Metrics of the first and the last evaluation on held-out pairs, where they are known. */
  readonly before: Readonly<Record<string, number>> | null;
  readonly after: Readonly<Record<string, number>> | null;
}

/** What the card says. */
export interface CardFacts {
  readonly kind: CardKind;
  /** Repository of the base, or its name. */
  readonly baseModel: string;
  /** Whether `baseModel` is a repository on a Hub. */
  readonly isOnHub: boolean;
  readonly license: string | null;
  /** Null where the model leaves as it was loaded. */
  readonly run: CardRun | null;
  /** Adapters that stood on the model: what a run went on with, or what leaves without one. */
  readonly standing: readonly { readonly label: string; readonly scale: number }[];
  /** The base was quantised, in its file or when it was loaded, so that the merge is one of dequantised weights. */
  readonly isFromQuantised: boolean;
  /** How the base lay on the device while it was trained, where that was not how its file has it. */
  readonly trainedOn: string | null;
  /** Name of the file in it that is loaded. */
  readonly file: string;
}

/** Writes the card, in Markdown with a Hub's header. */
export function modelCard(facts: CardFacts): string {
  const { baseModel, run } = facts;
  const name = baseModel.split("/").at(-1) ?? baseModel;
  const method = run === null ? "" : `, tuned with ${run.method}`;
  const parts = [
    header(facts),
    `# ${name}${method}`,
    whatItIs(facts),
    ...(run === null ? [] : [figures(run), settings(run)]),
    `## To load it\n\n${toLoad(facts)}`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function header({ kind, baseModel, isOnHub, license, run }: CardFacts): string {
  const lines = [
    ...(license === null ? [] : [`license: ${quoted(license)}`]),
    ...(isOnHub ? [`base_model: ${quoted(baseModel)}`] : []),
    `library_name: ${{ adapter: "peft", merged: "transformers" }[kind as "adapter"] ?? "gguf"}`,
    "pipeline_tag: text-generation",
    "tags:",
    ...[
      "prefscope",
      ...(kind === "adapter" ? ["lora"] : []),
      ...(run === null ? [] : [run.config.method]),
    ].map((tag) => `  - ${quoted(tag)}`),
  ];
  return `---\n${lines.join("\n")}\n---`;
}

/** A text as YAML takes it whatever it holds: JSON is YAML. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

const kindWords: Readonly<Record<CardKind, string>> = {
  adapter: "A LoRA adapter for",
  merged: "The whole weights of",
  "gguf-f16": "A GGUF file (F16) of",
  "gguf-q8": "A GGUF file (Q8_0) of",
};

function whatItIs({ kind, baseModel, run, standing, isFromQuantised, trainedOn }: CardFacts): string {
  const base = code(baseModel);
  const sentences = [
    `${kindWords[kind]} ${base}, made with Prefscope, a preference fine-tuning studio in the browser.`,
  ];
  if (run !== null) {
    const { data } = run;
    const pairs =
      data === null
        ? ""
        : ` on ${data.trainPairs} preference pairs of ${code(data.label)}, ${data.heldoutPairs} held out`;
    sentences.push(`${run.method}, ${run.steps} optimizer steps${pairs}.`);
  }
  if (standing.length > 0) {
    const list = standing.map(({ label, scale }) => `${code(label)} × ${scale}`).join(" + ");
    sentences.push(
      run === null ? `It is the sum of adapters ${list}.` : `The run went on from the adapters ${list}.`,
    );
  }
  if (trainedOn !== null) sentences.push(`While it was trained, the base lay on the device in ${trainedOn}.`);
  if (isFromQuantised && kind !== "adapter") {
    sentences.push(
      "The base was quantised: what is here was merged into its dequantised weights and written in 16 bits.",
    );
  }
  return sentences.join(" ");
}

function code(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}

function figures({ before, after }: CardRun): string {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  if (names.length === 0) return "";
  const rows = names.map(
    (name) => `| ${name.replace(/^eval_/, "")} | ${shown(before?.[name])} | ${shown(after?.[name])} |`,
  );
  return `## On held-out pairs\n\n${["| metric | before | after |", "| --- | --: | --: |", ...rows].join("\n")}`;
}

const DIGITS = 5;

function shown(value: number | undefined): string {
  return value === undefined ? "" : String(Number(value.toPrecision(DIGITS)));
}

/** Every setting, because a run is no more than these and its data. */
function settings({ config }: CardRun): string {
  const rows = Object.entries(config).map(
    ([name, value]) => `| ${name} | ${JSON.stringify(value).replaceAll("|", "\\|")} |`,
  );
  return `## Settings\n\n${["| setting | value |", "| --- | --- |", ...rows].join("\n")}\n\nThe same as JSON: \`training_args.json\`.`;
}

function toLoad({ kind, baseModel, isOnHub, file }: CardFacts): string {
  const base = quoted(isOnHub ? baseModel : "path/to/the/base/model");
  if (kind === "adapter") {
    return fenced("python", [
      "from peft import PeftModel",
      "from transformers import AutoModelForCausalLM, AutoTokenizer",
      "",
      `model = AutoModelForCausalLM.from_pretrained(${base})`,
      'model = PeftModel.from_pretrained(model, "path/to/this/folder")',
      'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")',
    ]);
  }
  if (kind === "merged") {
    return fenced("python", [
      "from transformers import AutoModelForCausalLM, AutoTokenizer",
      "",
      'model = AutoModelForCausalLM.from_pretrained("path/to/this/folder")',
      'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")',
    ]);
  }
  return fenced("sh", [`llama-cli -m ${file} -p "Once upon a time"`]);
}

function fenced(language: string, lines: readonly string[]): string {
  return `\`\`\`${language}\n${lines.join("\n")}\n\`\`\``;
}
