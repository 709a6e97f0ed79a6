import { FileFormatError } from "../../files/fileFormatError.ts";

/** Upper bounds far above any real model, so that a damaged number is refused before memory is asked for. */
export const LARGEST = {
  width: 1 << 17,
  layers: 1 << 10,
  heads: 1 << 10,
  vocabulary: 1 << 22,
  positions: 1 << 26,
};

/** A parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads fields of one JSON object and refuses by file, field, value and expectation. */
export interface Fields {
  readonly json: Json;
  readonly file: string;
  /** Throws `FileFormatError`. */
  readonly refuse: (field: string, expected: string) => never;
  /** A whole number from 1 to `largest`; `otherwise` where the field is missing or null. */
  readonly count: (field: string, largest: number, otherwise?: number) => number;
  readonly positive: (field: string, otherwise?: number) => number;
  /** A number above 0, or null. */
  readonly positiveOrNull: (field: string, otherwise: number | null) => number | null;
  readonly flag: (field: string, otherwise: boolean) => boolean;
  /** Refuses the field unless it is missing, null or `value`; `why` follows the value in the message. */
  readonly only: (field: string, value: boolean | string | number | null, why?: string) => void;
  /** A JSON object within this one; null where it is missing or null. */
  readonly object: (field: string) => Fields | null;
}

/** A reader of one JSON object of `file`. */
export function fieldsOf(json: Json, file: string): Fields {
  const refuse = (field: string, expected: string): never => {
    const value = JSON.stringify(json[field]) ?? "missing";
    throw new FileFormatError("FIL-1", file, `${field} is ${value}, expected ${expected}.`);
  };
  const positive = (field: string, otherwise?: number): number => {
    const value = json[field] ?? otherwise;
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
      return refuse(field, "a number above 0");
    return value;
  };
  return {
    json,
    file,
    refuse,
    positive,
    count: (field, largest, otherwise) => {
      const value = json[field] ?? otherwise;
      if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > largest)
        return refuse(field, `a whole number from 1 to ${largest}`);
      return value;
    },
    positiveOrNull: (field, otherwise) => {
      const value = json[field] === undefined ? otherwise : json[field];
      return value === null ? null : positive(field, otherwise ?? undefined);
    },
    flag: (field, otherwise) => {
      const value = json[field] ?? otherwise;
      return typeof value === "boolean" ? value : refuse(field, "true or false");
    },
    only: (field, value, why) => {
      if ((json[field] ?? value) === value) return;
      refuse(field, why === undefined ? JSON.stringify(value) : `${JSON.stringify(value)}: ${why}`);
    },
    object: (field) => {
      const value = json[field] ?? null;
      if (value === null) return null;
      return isRecord(value) ? fieldsOf(value, `${file}: ${field}`) : refuse(field, "an object or null");
    },
  };
}
