/** `quality.json`: reads it field by field. */
import { FileFormatError } from "../files/fileFormatError.ts";
import type { RewardModelCard } from "./rewardFiles.ts";
import type { RewardModelQuality } from "./settings.ts";

type Json = Readonly<Record<string, unknown>>;
type Refuse = (field: string, value: unknown, expected: string) => never;

const MOST_CHARACTERS = 200;
const MOST_BINS = 100;
const MOST_SHOWN = 80;

/** Reads the file. Throws `FileFormatError` with field, value and what was expected. */
export function parseCard(bytes: Uint8Array, file: string): RewardModelCard {
  const refuse: Refuse = (field, value, expected) => {
    const text = JSON.stringify(value) ?? "missing";
    const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
    throw new FileFormatError("FIL-1", file, `${field} is ${shown}, expected ${expected}.`);
  };
  const json = objectOf(parsed(bytes), "the file", refuse);
  const { label, model, quality } = json;
  return {
    label: textOf(label, "label", refuse),
    model: textOf(model, "model", refuse),
    quality: quality === null || quality === undefined ? null : qualityOf(quality, refuse),
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // What is no JSON is no object either.
    return null;
  }
}

function qualityOf(value: unknown, refuse: Refuse): RewardModelQuality {
  const json = objectOf(value, "quality", refuse);
  const share = (name: string) => shareOf(json[name], `quality.${name}`, refuse);
  const { calibration } = json;
  if (!Array.isArray(calibration) || calibration.length > MOST_BINS)
    return refuse("quality.calibration", calibration, `a list of at most ${MOST_BINS} ranges`);
  return {
    data: textOf(json["data"], "quality.data", refuse),
    trainPairs: countOf(json["trainPairs"], "quality.trainPairs", refuse),
    heldoutPairs: countOf(json["heldoutPairs"], "quality.heldoutPairs", refuse),
    accuracy: share("accuracy"),
    low: share("low"),
    high: share("high"),
    calibration: calibration.map((each: unknown, index) => {
      const name = `quality.calibration[${index}]`;
      const bin = objectOf(each, name, refuse);
      return {
        stated: shareOf(bin["stated"], `${name}.stated`, refuse),
        observed: shareOf(bin["observed"], `${name}.observed`, refuse),
        pairs: countOf(bin["pairs"], `${name}.pairs`, refuse),
      };
    }),
    calibrationError: share("calibrationError"),
  };
}

function objectOf(value: unknown, field: string, refuse: Refuse): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  return refuse(field, value, "a JSON object");
}

function textOf(value: unknown, field: string, refuse: Refuse): string {
  if (typeof value === "string" && value.length <= MOST_CHARACTERS) return value;
  return refuse(field, value, `a text of at most ${MOST_CHARACTERS} characters`);
}

function countOf(value: unknown, field: string, refuse: Refuse): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  return refuse(field, value, "a whole number from 0 on");
}

function shareOf(value: unknown, field: string, refuse: Refuse): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  return refuse(field, value, "a number from 0 to 1");
}
