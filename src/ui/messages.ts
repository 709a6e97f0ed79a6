/** Texts of the coded messages: what happened, why with its number, one best action, and a second one. */
import type { RunConfig } from "../engine/training/config.ts";
import type { MessageDetails } from "../state/messageStore.ts";
import type { MessageCode } from "../worker/protocol.ts";
import { formatBytes, formatSpan } from "./format.ts";

/** What the button of a message does. */
export type MessageAction =
  | "train-on-cpu"
  | "gpu-help"
  | "open-https"
  | "copy-report"
  | "show-device"
  | "dismiss"
  | "resume-lower-rate"
  | "resume-less-memory"
  | "restart-trainer"
  | "copy-log"
  | "choose-files"
  | "choose-columns"
  | "show-formats"
  | "review-rows"
  | "copy-link"
  | "show-settings"
  | "show-length"
  | "continue-download"
  | "load-from-disk"
  | "show-models"
  | "save-elsewhere"
  | "use-4-bit";

/** A button of a message. */
export interface MessageButton {
  readonly label: string;
  readonly action: MessageAction;
}

/** A message as it is shown. */
export interface MessageText {
  readonly tone: "error" | "warning" | "info";
  readonly title: string;
  readonly text: string;
  readonly primary: MessageButton;
  readonly secondary: MessageButton | null;
}

/** Numbers that become known only after a message was raised. */
export interface MessageFacts {
  readonly secondsPerStep: number | null;
  /** Layout of the weights that were asked for. */
  readonly baseWeights?: RunConfig["baseWeights"];
}

type Writer = (details: MessageDetails, facts: MessageFacts) => MessageText;

const button = (label: string, action: MessageAction): MessageButton => ({ label, action });
const said = (details: MessageDetails, fallback: string) => String(details["message"] ?? fallback);

function cpuSpeed({ secondsPerStep }: MessageFacts): string {
  if (secondsPerStep === null) return "slower than a GPU would; its speed is being timed.";
  const speed = secondsPerStep < 1 ? `${Math.round(secondsPerStep * 1000)} ms` : formatSpan(secondsPerStep);
  return `at about ${speed} a step, timed on this machine.`;
}

/** Where the model computes when there is no GPU, or could if the setup did not ask for one. */
function withoutGpu(details: MessageDetails, facts: MessageFacts): string {
  // An error, not a report: nothing computes yet.
  if (details["message"] !== undefined)
    return "This setup asks for one. The model can train on the CPU, slower.";
  return `The model trains on the CPU instead, ${cpuSpeed(facts)}`;
}

function memoryText({ step, lastGoodStep, wasActive, bytes, remedies }: MessageDetails): string {
  const needed = typeof bytes === "number" ? `A batch needs about ${formatBytes(bytes)} of it. ` : "";
  const safe =
    wasActive !== 1 || step === 0
      ? ""
      : lastGoodStep === null
        ? "No step was kept yet. "
        : `Step ${lastGoodStep} is safe. `;
  const less =
    remedies === "" || remedies === undefined
      ? "Shorter pairs or a smaller model need less."
      : `These need less, the cheapest first: ${remedies}.`;
  return `${needed}${safe}${less}`;
}

function memoryTitle({ step, wasActive }: MessageDetails): string {
  if (wasActive !== 1) return "This setup needs more GPU memory than there is.";
  return `GPU memory ran out ${step === 0 ? "before the first step" : `after step ${step}`}.`;
}

function memoryButton({ remedy, canResume, lastGoodStep, wasActive }: MessageDetails): MessageButton {
  if (remedy === null || remedy === undefined) return button("Shorten the pairs", "show-length");
  if (wasActive !== 1) return button(`Take ${remedy}`, "resume-less-memory");
  const isResumed = canResume === 1 && lastGoodStep !== null;
  return button(
    `${isResumed ? `Resume from ${lastGoodStep}` : "Start again"} with ${remedy}`,
    "resume-less-memory",
  );
}

function fileRefused(title: string): Writer {
  return (details) => ({
    tone: "error",
    title,
    text: `${said(details, "The file could not be read.")} Nothing was changed.`,
    primary: button("Choose another", "choose-files"),
    secondary: button("Formats", "show-formats"),
  });
}

const acceptedFiles =
  "Accepted: pairs as JSONL, JSON, CSV, TSV or Parquet, also .gz or .zip; a model as a folder of safetensors, a .gguf or a .zip; a PEFT adapter.";

function fileTitle({ file, message, isTooLarge }: MessageDetails): string {
  const name = file === undefined ? "This file" : `“${file}”`;
  if (isTooLarge === 1) return `${name} is too large.`;
  const isUnknown = message === undefined || String(message).includes("not a format I know");
  return isUnknown ? `${name} is not a format I know.` : `${name} could not be opened.`;
}

function fileText({ message }: MessageDetails): string {
  const reason = message === undefined ? "" : `${message} `;
  return `${reason}${reason.includes("Accepted:") ? "" : `${acceptedFiles} `}Nothing was changed.`;
}

function downloadTitle({ file, repo, status }: MessageDetails): string {
  // Empty where it was about the repository itself.
  const name = file || repo;
  const what = name ? `“${name}”` : "Something";
  return `${what} could not be downloaded${status === undefined ? "" : ` (${status})`}.`;
}

/** How much of how much, in brackets; nothing where one of them is not known. */
function amounts(
  part: MessageDetails[string] | undefined,
  whole: MessageDetails[string] | undefined,
): string {
  if (typeof part !== "number" || typeof whole !== "number") return "";
  return ` (${formatBytes(part)} of ${formatBytes(whole)})`;
}

/** The text of every code. */
export const messageCatalogue: Record<MessageCode, Writer> = {
  "GPU-1": (details, facts) => ({
    tone: "warning",
    title: "No GPU access in this browser.",
    text: withoutGpu(details, facts),
    primary: button("Train on CPU", "train-on-cpu"),
    secondary: button("Enable the GPU", "gpu-help"),
  }),
  "GPU-1b": (details, facts) => ({
    tone: "warning",
    title: "Open this page over https.",
    text: `Browsers hide WebGPU on plain http. ${withoutGpu(details, facts)}`,
    primary: button("Reload on https", "open-https"),
    secondary: button("Train on CPU", "train-on-cpu"),
  }),
  "GPU-2": (details, facts) => ({
    tone: "warning",
    title: "WebGPU is there, but no GPU answered.",
    text: `A blocked driver or a remote desktop is the usual reason. ${withoutGpu(details, facts)}`,
    primary: button("Train on CPU", "train-on-cpu"),
    secondary: button("Copy report", "copy-report"),
  }),
  "GPU-3": () => ({
    tone: "warning",
    title: "Running on a software GPU.",
    text: "Correct results, low speed: the browser computes WebGPU on the processor.",
    primary: button("Continue", "dismiss"),
    secondary: button("Details", "show-device"),
  }),
  "GPU-4": () => ({
    tone: "info",
    title: "32-bit arithmetic.",
    text: "This GPU offers no 16-bit shaders. The studio computes in 32-bit, so nothing is lost.",
    primary: button("OK", "dismiss"),
    secondary: null,
  }),
  "MEM-1": (details) =>
    details["part"] === "weights"
      ? {
          tone: "error",
          title: "GPU memory ran out while the model was loaded.",
          text: `${said(details, "The model does not fit.")} Nothing was changed.`,
          primary: button("Choose another model", "choose-files"),
          secondary: button("Details", "show-device"),
        }
      : {
          tone: "error",
          title: memoryTitle(details),
          text: memoryText(details),
          primary: memoryButton(details),
          secondary: button("Copy log", "copy-log"),
        },
  "NUM-1": ({ step, lastGoodStep }) => ({
    tone: "error",
    title: `Loss is not a number at step ${step}.`,
    text:
      lastGoodStep === null
        ? "No step was kept before it. The learning rate is the usual suspect."
        : `Last good state: step ${lastGoodStep}. The learning rate is the usual suspect.`,
    primary: button(
      lastGoodStep === null ? "Start again with lr ÷ 3" : `Resume from ${lastGoodStep} with lr ÷ 3`,
      "resume-lower-rate",
    ),
    secondary: button("Copy log", "copy-log"),
  }),
  "NUM-2": ({ step, lastGoodStep }) => ({
    tone: "error",
    title: "The GPU returned nothing.",
    text: `The loss was exactly 0 at step ${step}. That is treated as a failure, not as a perfect model.${
      lastGoodStep === null ? "" : ` Step ${lastGoodStep} is safe.`
    }`,
    primary: button("Restart device", "restart-trainer"),
    secondary: button("Copy log", "copy-log"),
  }),
  "WRK-1": ({ reason, lastGoodStep, wasActive }) => ({
    tone: "error",
    title: "The trainer stopped.",
    text: `Reason: ${reason ?? "unknown"}.${
      wasActive !== 1
        ? ""
        : lastGoodStep === null
          ? " No step was kept yet."
          : ` Step ${lastGoodStep} is safe.`
    }`,
    primary: button(
      wasActive !== 1
        ? "Restart the trainer"
        : lastGoodStep === null
          ? "Restart from the beginning"
          : `Restart from step ${lastGoodStep}`,
      "restart-trainer",
    ),
    secondary: button("Copy log", "copy-log"),
  }),
  "FIL-1": (details) => ({
    tone: "error",
    title: fileTitle(details),
    text: fileText(details),
    primary: button("Choose another", "choose-files"),
    secondary: button("Formats", "show-formats"),
  }),
  "FIL-2": (details, facts) => {
    const refused = fileRefused("The file is incomplete.")(details, facts);
    return details["id"] === undefined
      ? refused
      : {
          ...refused,
          text: said(details, "What arrived is not what was announced."),
          primary: button("Continue download", "continue-download"),
          secondary: button("Load from disk", "load-from-disk"),
        };
  },
  "DAT-1": (details) => ({
    ...fileRefused("There are no usable pairs in this file.")(details, { secondsPerStep: null }),
    primary: button("Which column is which?", "choose-columns"),
    secondary: button("Choose another", "choose-files"),
  }),
  "DAT-2": (details) => {
    const rows = Number(details["rows"] ?? 0);
    return {
      tone: "warning",
      title: said(details, "Some pairs need a look."),
      text:
        rows === 0
          ? "A cut answer is trained as far as it goes. A longer “Longest pair” keeps it whole."
          : `${rows === 1 ? "1 row was" : `${rows} rows were`} left out; the other pairs are loaded.`,
      primary: button(rows === 0 ? "Train them as they are" : "Skip them", "dismiss"),
      secondary: rows === 0 ? button("Change the length", "show-length") : button("Review", "review-rows"),
    };
  },
  "DAT-3": (details) => ({
    tone: "info",
    title: "Reference values could not be reused.",
    text: said(details, "They belong to another model, dataset or tokenizer, and are computed again."),
    primary: button("OK", "dismiss"),
    secondary: button("Copy log", "copy-log"),
  }),
  "LNK-1": ({ count, settings, newerThan }) => ({
    tone: "warning",
    title:
      count === 0
        ? "This link was made by a newer version."
        : `${count} ${count === 1 ? "setting" : "settings"} in this link could not be used and ${count === 1 ? "was" : "were"} skipped.`,
    text: `${count === 0 ? "Everything in it was understood." : `${settings}.`}${
      newerThan === null || count === 0 ? "" : " The link was made by a newer version."
    }`,
    primary: button("OK", "dismiss"),
    secondary: button("Copy original", "copy-link"),
  }),
  "NET-1": (details) => ({
    tone: "error",
    title: downloadTitle(details),
    text: said(details, "The network or the host did not answer."),
    primary:
      details["id"] === undefined
        ? button("Load from disk", "load-from-disk")
        : button("Retry", "continue-download"),
    secondary:
      details["id"] === undefined
        ? button("Copy log", "copy-log")
        : button("Load from disk", "load-from-disk"),
  }),
  "STO-1": (details) => ({
    tone: "error",
    title: `Browser storage is full${amounts(details["usedBytes"], details["quotaBytes"])}.`,
    text: said(details, "Nothing more can be kept until something is deleted. Training goes on."),
    primary: button("Free space", "show-models"),
    secondary: button("Save to disk instead", "save-elsewhere"),
  }),
  "GPU-5": (details, { baseWeights }) => {
    const smaller = button("Smaller model", "show-models");
    const { neededBytes, availableBytes } = details;
    const areKnown = typeof neededBytes === "number" && typeof availableBytes === "number";
    return {
      tone: "error",
      title: areKnown
        ? `One buffer of ${formatBytes(neededBytes)} is needed; this GPU allows ${formatBytes(availableBytes)}.`
        : "This model needs a larger buffer than the GPU gives.",
      text: said(details, "Hold its weights in fewer bits, or choose a smaller model."),
      primary: baseWeights === "q4" ? smaller : button("Use 4-bit base", "use-4-bit"),
      secondary: baseWeights === "q4" ? null : smaller,
    };
  },
  "CFG-1": (details) => ({
    tone: "error",
    title: "This setup cannot be trained.",
    text: said(details, "A setting is outside its range."),
    primary: button("Show the settings", "show-settings"),
    secondary: button("Dismiss", "dismiss"),
  }),
  "RUN-1": (details) => ({
    tone: "error",
    title: details["isStart"] === 1 ? "The studio could not start." : "That did not work.",
    text: said(details, "The trainer gave no reason."),
    primary: details["isStart"] === 1 ? button("Try again", "restart-trainer") : button("OK", "dismiss"),
    secondary: button("Copy log", "copy-log"),
  }),
};
