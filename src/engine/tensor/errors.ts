/** Errors of the tensor door that callers tell apart by class. */

/** The device refused a command: a binding, a size or a shader that does not fit; results since then are void. */
export class GpuValidationError extends Error {
  override name = "GpuValidationError";
}

/** The device could not allocate a buffer; results since then are void. */
export class GpuOutOfMemoryError extends Error {
  override name = "GpuOutOfMemoryError";
}

/** The device is gone without our asking (driver reset, removal); open a new one and resume from a checkpoint. */
export class DeviceLostError extends Error {
  override name = "DeviceLostError";
}

/** The shader of an operation does not compile on this device. */
export class ShaderError extends Error {
  override name = "ShaderError";
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`shader of ${operation}: ${message}`);
    this.operation = operation;
  }
}

/** Why there is no WebGPU: the browser has no such interface, or it offers no adapter. */
export type NoWebGpuReason = "no-gpu-api" | "no-adapter";

/** WebGPU was asked for by name and is not there. */
export class NoWebGpuError extends Error {
  override name = "NoWebGpuError";
  readonly reason: NoWebGpuReason;
  constructor(reason: NoWebGpuReason) {
    super(reason === "no-gpu-api" ? "this environment has no WebGPU" : "WebGPU offers no adapter");
    this.reason = reason;
  }
}

/** Errors a device can report after the command that caused them has returned. */
export type DeviceError = GpuValidationError | GpuOutOfMemoryError | DeviceLostError | ShaderError;

/** Collects the errors of one device in order of arrival and tells listeners. */
export class ErrorLog {
  #errors: DeviceError[] = [];
  #lost: DeviceLostError | undefined;
  readonly #listeners = new Set<(error: DeviceError) => void>();

  /** Notes an error and tells every listener. */
  add(error: DeviceError): void {
    this.#errors.push(error);
    if (error instanceof DeviceLostError) this.#lost = error;
    for (const listener of this.#listeners) listener(error);
  }

  /** Adds a listener; the returned function removes it. */
  listen(listener: (error: DeviceError) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws the oldest error that nobody has taken; a lost device throws for ever. */
  throwFirst(): void {
    const first = this.#errors[0] ?? this.#lost;
    if (first !== undefined) throw first;
  }

  /** Returns the errors so far and forgets them. */
  take(): DeviceError[] {
    const errors = this.#errors;
    this.#errors = [];
    return errors;
  }
}
