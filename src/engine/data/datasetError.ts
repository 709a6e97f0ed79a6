/** Which message a refused dataset leads to: FIL-1 an unknown file, DAT-1 unknown columns. */
export type DatasetErrorCode = "FIL-1" | "DAT-1";

/** A file of which no pair can be used; the message names the file and what was found and expected. */
export class DatasetError extends Error {
  override name = "DatasetError";
  readonly code: DatasetErrorCode;
  readonly file: string;

  constructor(code: DatasetErrorCode, file: string, message: string) {
    super(message);
    this.code = code;
    this.file = file;
  }
}
