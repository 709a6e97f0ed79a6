/** Which message a refused file leads to: FIL-1 an unknown or broken format, FIL-2 an incomplete file. */
export type FileFormatCode = "FIL-1" | "FIL-2";

/** A file that cannot be used; the message names the file, the field, the value and what was expected. */
export class FileFormatError extends Error {
  override name = "FileFormatError";
  readonly code: FileFormatCode;
  readonly file: string;

  constructor(code: FileFormatCode, file: string, problem: string) {
    super(`${file}: ${problem}`);
    this.code = code;
    this.file = file;
  }
}

const UNITS = [
  { name: "GB", bytes: 1e9 },
  { name: "MB", bytes: 1e6 },
  { name: "KB", bytes: 1e3 },
] as const;

/** The FIL-2 error of a file that ends early, in the largest unit that tells the two sizes (bytes) apart. */
export function incompleteFile(file: string, presentBytes: number, expectedBytes: number): FileFormatError {
  for (const unit of UNITS) {
    const present = Math.round(presentBytes / unit.bytes);
    const expected = Math.round(expectedBytes / unit.bytes);
    if (expectedBytes >= unit.bytes && present < expected)
      return new FileFormatError("FIL-2", file, `Incomplete file: ${present} of ${expected} ${unit.name}.`);
  }
  return new FileFormatError("FIL-2", file, `Incomplete file: ${presentBytes} of ${expectedBytes} bytes.`);
}
