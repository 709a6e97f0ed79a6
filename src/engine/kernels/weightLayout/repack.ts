/** Reorders the blocks of GGUF files into rows of words; no value changes. */
import { GroupWriter, groupSize, wordsPerRow } from "./weightLayout.ts";
import type { MatrixShape, QuantizedLayout } from "./weightLayout.ts";

interface BlockFormat {
  readonly name: string;
  readonly layout: QuantizedLayout;
  readonly bytes: number;
  /** Where the codes begin: after the scale and the minimum, if there is one. */
  readonly codesAt: number;
}

function repack(blocks: Uint8Array, [rows, inputs]: MatrixShape, format: BlockFormat): Uint32Array {
  const { name, layout, bytes, codesAt } = format;
  const groups = inputs / groupSize;
  if (inputs % groupSize !== 0) {
    throw new RangeError(`${name} rows are whole blocks of ${groupSize} values, not ${inputs} values`);
  }
  if (blocks.length !== rows * groups * bytes) {
    throw new RangeError(`${blocks.length} bytes are not the ${rows * groups} blocks of ${bytes} of ${name}`);
  }
  const packed = new Uint32Array(rows * wordsPerRow(layout, inputs));
  const writer = new GroupWriter(packed, layout, inputs);
  const codes = new Uint8Array(groupSize);
  for (let block = 0; block < rows * groups; block++) {
    const at = block * bytes;
    const half = (place: number): number => blocks[at + place]! | (blocks[at + place + 1]! << 8);
    for (let index = 0; index < bytes - codesAt; index++) {
      const byte = blocks[at + codesAt + index]!;
      if (layout === "q8") codes[index] = byte;
      else {
        codes[index] = byte & 15;
        codes[index + groupSize / 2] = byte >> 4;
      }
    }
    writer.write(Math.floor(block / groups), block % groups, {
      codes,
      scale: half(0),
      minimum: codesAt === 4 ? half(2) : 0,
    });
  }
  return packed;
}

/** Q8_0 blocks (f16 scale, 32 signed bytes) of a matrix -> `q8` words. */
export function repackQ8_0(blocks: Uint8Array, shape: MatrixShape): Uint32Array {
  return repack(blocks, shape, { name: "Q8_0", layout: "q8", bytes: 34, codesAt: 2 });
}

/** Q4_0 blocks (f16 scale, 16 bytes: value j low, value j + 16 high) of a matrix -> `q4s` words. */
export function repackQ4_0(blocks: Uint8Array, shape: MatrixShape): Uint32Array {
  return repack(blocks, shape, { name: "Q4_0", layout: "q4s", bytes: 18, codesAt: 2 });
}

/** Q4_1 blocks (f16 scale, f16 minimum, 16 bytes as in Q4_0) of a matrix -> `q4m` words. */
export function repackQ4_1(blocks: Uint8Array, shape: MatrixShape): Uint32Array {
  return repack(blocks, shape, { name: "Q4_1", layout: "q4m", bytes: 20, codesAt: 4 });
}
