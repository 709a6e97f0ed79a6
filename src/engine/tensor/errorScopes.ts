/** Asks the device about errors of single commands. Its error events can come after the results they void. */
import { GpuOutOfMemoryError, GpuValidationError } from "./errors.ts";
import type { DeviceError, ErrorLog } from "./errors.ts";

/** The typed form of an error the device reports. */
export function typedError(error: GPUError): DeviceError {
  if (error instanceof GPUOutOfMemoryError) return new GpuOutOfMemoryError(error.message);
  return new GpuValidationError(error.message);
}

/** Error scopes of one device, whose answers go to its error log. */
export class ErrorScopes {
  readonly #device: GPUDevice;
  readonly #errors: ErrorLog;
  readonly #open = new Set<Promise<void>>();

  constructor(device: GPUDevice, errors: ErrorLog) {
    this.#device = device;
    this.#errors = errors;
  }

  /** Runs `work`, which must issue its commands before it returns, and logs the first error they cause. */
  run<T>(filter: GPUErrorFilter, work: () => T, toError: (error: GPUError) => DeviceError = typedError): T {
    this.#device.pushErrorScope(filter);
    try {
      return work();
    } finally {
      const answer = this.#device
        .popErrorScope()
        .then((error) => {
          if (error !== null) this.#errors.add(toError(error));
        })
        // A lost device answers no scope; the loss is reported on its own.
        .catch(() => undefined)
        .finally(() => this.#open.delete(answer));
      this.#open.add(answer);
    }
  }

  /** Resolves when every scope opened so far has answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#open);
  }
}
