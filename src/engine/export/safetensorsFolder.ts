/** Tensors as the safetensors files of a model's folder, written piece by piece. */
import type { StoredTensor } from "../files/storedTensors.ts";
import { shardIndexName } from "../files/safetensorsShards.ts";
import type { MergedType } from "./mergedTensors.ts";

/** A file that is made while it is written. */
export interface StreamedFile {
  readonly name: string;
  readonly bytes: number;
  readonly chunks: () => AsyncGenerator<Uint8Array>;
}

type Tensors = ReadonlyMap<string, StoredTensor & { readonly type: MergedType }>;

/** Bytes of tensors in one file: what hubs and file systems take without complaint. */
const SHARD_BYTES = 2_000_000_000;
const DATA_ALIGNMENT = 8;
const LENGTH_BYTES = 8;

/**
 * One file, or shards of at most `shardBytes` of tensors (or one larger tensor) with an index. Tensors are read one by one
 * as the chunks are asked for.
 */
export function safetensorsFolder(tensors: Tensors, shardBytes = SHARD_BYTES): StreamedFile[] {
  const shards = shardsOf(tensors, shardBytes);
  if (shards.length === 1) return [safetensorsFile("model.safetensors", tensors)];
  const digits = (count: number) => String(count).padStart(5, "0");
  const named = shards.map(
    (shard, index) => [`model-${digits(index + 1)}-of-${digits(shards.length)}.safetensors`, shard] as const,
  );
  const files = named.map(([name, shard]) => safetensorsFile(name, shard));
  const index = {
    metadata: { total_size: [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(
      named.flatMap(([file, shard]) => [...shard.keys()].map((name) => [name, file])),
    ),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`);
  return [...files, wholeFile(shardIndexName, bytes)];
}

/** A file that is in memory already. */
export function wholeFile(name: string, bytes: Uint8Array): StreamedFile {
  return {
    name,
    bytes: bytes.length,
    chunks: async function* () {
      yield bytes;
    },
  };
}

function shardsOf(tensors: Tensors, shardBytes: number): Tensors[] {
  const shards: Map<string, StoredTensor & { readonly type: MergedType }>[] = [];
  let room = 0;
  for (const [name, tensor] of sorted(tensors)) {
    if (shards.length === 0 || tensor.bytes > room) {
      shards.push(new Map());
      room = shardBytes;
    }
    shards.at(-1)?.set(name, tensor);
    room -= tensor.bytes;
  }
  return shards;
}

function sorted(tensors: Tensors) {
  return [...tensors].toSorted(([first], [second]) => (first < second ? -1 : 1));
}

/** Keys sorted, header padded with spaces so that the data starts at a multiple of 8. */
function safetensorsFile(name: string, tensors: Tensors): StreamedFile {
  const entries = sorted(tensors);
  let offset = 0;
  const header: [string, unknown][] = [["__metadata__", { format: "pt" }]];
  for (const [key, { shape, type, bytes }] of entries) {
    header.push([key, { dtype: type, shape, data_offsets: [offset, offset + bytes] }]);
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const start = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20, LENGTH_BYTES);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerBytes), true);
  start.set(json, LENGTH_BYTES);
  return {
    name,
    bytes: start.length + offset,
    chunks: async function* () {
      yield start;
      for (const [key, { bytes, read }] of entries) {
        const data = await read();
        if (data.length !== bytes) throw new RangeError(`"${key}" gave ${data.length} bytes, not ${bytes}.`);
        yield data;
      }
    },
  };
}
