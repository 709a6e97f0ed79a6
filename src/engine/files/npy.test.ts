import { describe, expect, it } from "vitest";
import { FileFormatError } from "./fileFormatError.ts";
import { readNpy } from "./npy.ts";
import { npyOf, writeNpy, type WrittenArray } from "./npz.testing.ts";

const FILE = "a.npy";
/** The six values 0 to 5 as [[0, 1, 2], [3, 4, 5]]. */
const values = Float32Array.from({ length: 6 }, (_, i) => i);
const header = (fields: string) => npyOf(fields, new Uint8Array(values.buffer));

describe("readNpy", () => {
  it.each<readonly [string, WrittenArray]>([
    ["version 1", { shape: [2, 3], values }],
    ["version 2", { shape: [2, 3], values, version: 2 }],
    ["version 3", { shape: [2, 3], values, version: 3 }],
    ["64 bits", { shape: [2, 3], values, type: "<f8" }],
    // Bit patterns of 0 to 5 in 16 bits.
    ["16 bits", { shape: [2, 3], values: [0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500], type: "<f2" }],
    // Column by column: 0 and 3, 1 and 4, 2 and 5.
    ["column-major order", { shape: [2, 3], values: [0, 3, 1, 4, 2, 5], isColumnMajor: true }],
  ])("reads %s", (_, array) => {
    expect(readNpy(writeNpy(array), FILE)).toEqual({ shape: [2, 3], values });
  });

  it("reads scalars, vectors in either order, and fields in any order", () => {
    expect(readNpy(writeNpy({ shape: [], values: [7] }), FILE)).toEqual({
      shape: [],
      values: Float32Array.of(7),
    });
    expect(readNpy(writeNpy({ shape: [6], values, isColumnMajor: true }), FILE)).toEqual({
      shape: [6],
      values,
    });
    const shuffled = header("{'shape': (3, 2), 'descr': '<f4', 'fortran_order': False}");
    expect(readNpy(shuffled, FILE)).toEqual({ shape: [3, 2], values });
  });

  it("rounds 64 bits to 32, and reads from the middle of a larger buffer", () => {
    const bytes = writeNpy({ shape: [1], values: [0.1], type: "<f8" });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readNpy(shifted.subarray(3), FILE).values).toEqual(Float32Array.of(0.1));
  });

  it.each<readonly [string, Uint8Array, string]>([
    ["another file", new TextEncoder().encode("not an array at all"), "not begin with its mark"],
    ["a version", npyOf("", new Uint8Array(), 4), "the version is 4"],
    [
      "big-endian numbers",
      header("{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }"),
      "descr is '>f4', expected one of <f2",
    ],
    ["objects", header("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }"), "descr is '|O'"],
    ["whole numbers", header("{'descr': '<i4', 'fortran_order': False, 'shape': (6,), }"), "descr is '<i4'"],
    [
      "records",
      header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }"),
      "the header is",
    ],
    ["a field twice", header("{'descr': '<f4', 'descr': '<f4', 'shape': (6,), }"), "the header is"],
    ["a field too few", header("{'descr': '<f4', 'shape': (6,), }"), "the header is"],
    [
      "a field too many",
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': 1}"),
      "the header is",
    ],
    ["an order", header("{'descr': '<f4', 'fortran_order': (1,), 'shape': (6,), }"), "fortran_order is (1,)"],
    ["a shape", header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,,2), }"), "shape is (3,,2)"],
    [
      "three axes by columns",
      header("{'descr': '<f4', 'fortran_order': True, 'shape': (1,2,3), }"),
      "at most two axes",
    ],
    [
      "too many values",
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }"),
      "152 bytes, expected 148",
    ],
  ])("refuses %s by name", (_, bytes, words) => {
    expect(() => readNpy(bytes, FILE)).toThrow(FileFormatError);
    expect(() => readNpy(bytes, FILE)).toThrow(words);
  });

  it.each(["(7,)", "(1000000000, 1000000000)", "(9007199254740991, 9007199254740991, 9007199254740991)"])(
    "says that the file is incomplete where it claims the shape %s",
    (shape) => {
      const bytes = header(`{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`);
      expect(() => readNpy(bytes, FILE)).toThrow("Incomplete file");
    },
  );
});
