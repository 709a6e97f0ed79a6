/** A model that a GGUF file cannot hold so that llama.cpp computes the same; the message says why. */
export class GgufExportError extends Error {
  override name = "GgufExportError";
}
