/** Writes `.npy` and `.npz` files, for tests only. */
import { crc32 } from "./crc32.ts";

/** An array as NumPy would have it: values in the order in which they lie in the file. */
export interface WrittenArray {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly type?: "<f4" | "<f8" | "<f2";
  readonly isColumnMajor?: boolean;
  readonly version?: 1 | 2 | 3;
}

const ALIGNMENT = 64;

/** Bytes of an `.npy`; 16-bit values are given as bit patterns. */
export function writeNpy({
  shape,
  values,
  type = "<f4",
  isColumnMajor,
  version = 1,
}: WrittenArray): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const fields = `{'descr': '${type}', 'fortran_order': ${isColumnMajor ? "True" : "False"}, 'shape': ${tuple}, }`;
  const data = {
    "<f4": () => new Float32Array(Array.from(values)),
    "<f8": () => new Float64Array(Array.from(values)),
    "<f2": () => new Uint16Array(Array.from(values)),
  }[type]();
  return npyOf(fields, new Uint8Array(data.buffer), version);
}

/** Bytes of an `.npy` with any header. */
export function npyOf(header: string, data: Uint8Array, version: number = 1): Uint8Array<ArrayBuffer> {
  const start = version === 1 ? 10 : 12;
  const end = Math.ceil((start + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(end + data.length).fill(0x20, start, end);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, end - start, true);
  else view.setUint32(8, end - start, true);
  bytes.set(new TextEncoder().encode(header), start);
  bytes[end - 1] = 0x0a;
  bytes.set(data, end);
  return bytes;
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What one member adds to the archive, and to its directory. */
function recordsOf(
  name: string,
  unpacked: Uint8Array,
  { packed, offset }: { packed: Uint8Array; offset: number },
) {
  const nameBytes = new TextEncoder().encode(name);
  const local = new Uint8Array(30 + nameBytes.length);
  const entry = new Uint8Array(46 + nameBytes.length);
  local.set(nameBytes, 30);
  entry.set(nameBytes, 46);
  const views = [new DataView(local.buffer), new DataView(entry.buffer)] as const;
  views[0].setUint32(0, 0x04034b50, true);
  views[1].setUint32(0, 0x02014b50, true);
  views[1].setUint32(42, offset, true);
  // The directory's fields lie two bytes further: it also says which version wrote them.
  views.forEach((view, shift) => {
    view.setUint16(8 + 2 * shift, packed === unpacked ? 0 : 8, true);
    view.setUint32(14 + 2 * shift, crc32(unpacked), true);
    view.setUint32(18 + 2 * shift, packed.length, true);
    view.setUint32(22 + 2 * shift, unpacked.length, true);
    view.setUint16(26 + 2 * shift, nameBytes.length, true);
  });
  return { local, entry };
}

/** An archive of files under their full names, stored or deflated. */
export async function writeZip(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  isDeflated: boolean = false,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  const lengthOf = (list: readonly Uint8Array[]) => list.reduce((sum, { length }) => sum + length, 0);
  for (const [name, bytes] of files) {
    const packed = isDeflated ? await deflated(bytes) : bytes;
    const { local, entry } = recordsOf(name, bytes, { packed, offset: lengthOf(parts) });
    parts.push(local, packed);
    entries.push(entry);
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, entries.length, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(12, lengthOf(entries), true);
  end.setUint32(16, lengthOf(parts), true);
  const all = [...parts, ...entries, new Uint8Array(end.buffer)];
  const archive = new Uint8Array(lengthOf(all));
  let at = 0;
  for (const part of all) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

/** An archive of arrays by their names. */
export function writeNpz(
  arrays: Readonly<Record<string, WrittenArray>>,
  isDeflated: boolean = false,
): Promise<Uint8Array<ArrayBuffer>> {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const);
  return writeZip(new Map(files), isDeflated);
}
