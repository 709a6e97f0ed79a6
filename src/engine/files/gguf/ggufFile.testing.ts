/** Small GGUF files in memory, for tests only. */
import { writeGguf, type GgufContents, type GgufEntry, type GgufFile, type GgufWriteType } from "./write.ts";

/** All pieces of a file. */
export async function collect({ bytes, chunks }: GgufFile): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(bytes);
  let position = 0;
  for await (const chunk of chunks()) {
    whole.set(chunk, position);
    position += chunk.length;
  }
  if (position !== bytes) throw new Error(`the file was to have ${bytes} bytes, its pieces have ${position}`);
  return whole;
}

/** A tensor of the values 0, 1, 2, … */
export function counting(name: string, shape: readonly number[], type: GgufWriteType = "F32") {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = () => Promise.resolve(Float32Array.from({ length: count }, (_, index) => index));
  return { name, shape, type, values };
}

/** A file with a value of every type that is written, and two tensors. */
export const smallContents: GgufContents = {
  metadata: new Map<string, GgufEntry>([
    ["general.architecture", { type: "string", value: "llama" }],
    ["whole", { type: "uint32", value: 7 }],
    ["negative", { type: "int32", value: -7 }],
    ["real", { type: "float32", value: 0.5 }],
    ["yes", { type: "bool", value: true }],
    ["texts", { type: "strings", value: ["\uFEFFa", "", "Привет"] }],
    ["reals", { type: "float32s", value: [1, -0.25] }],
    ["wholes", { type: "int32s", value: [3, -1] }],
  ]),
  tensors: [counting("first", [2, 5]), counting("second.weight", [3, 32], "Q8_0"), counting("third", [4])],
};

/** Bytes of `smallContents`. */
export function smallFile(): Promise<Uint8Array<ArrayBuffer>> {
  return collect(writeGguf(smallContents));
}

/** A copy with some bytes replaced. */
export function patched(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}
