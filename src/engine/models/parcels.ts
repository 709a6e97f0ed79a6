/** Which parameters go onto the device together, and in what layout: stacks of linears, and everything else alone. */
import {
  packedWeight,
  type PackedWeight,
  type Weight,
  type WholeWeight,
  isPackedWeight,
  tensorsOfWeight,
} from "../kernels/weightLayout/packedWeight.ts";
import {
  bytesPerRow,
  weightLayouts,
  wordsPerRow,
  type WeightLayout,
} from "../kernels/weightLayout/weightLayout.ts";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { dispose, tensor, view, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { ModelConfig } from "./config.ts";
import { linearGroups, type Stack, type Stacks } from "./stacks.ts";

/** Sizes of parameters by name: [rows, columns] of a matrix, [count] of a vector. */
type Shapes = ReadonlyMap<string, readonly number[]>;

/** Parameters that lie one after another: members of a group in stacking order, or one parameter alone. */
export interface Parcel {
  /** Name of the group of stacked linears; null for a parameter alone. */
  readonly group: string | null;
  /** Matrices with the sizes of each, or one vector. */
  readonly members: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Names of the members' biases where all of them have one; none of a parameter alone. */
  readonly biases: readonly string[];
  /** Of the matrices; `f32` for a vector. */
  readonly layout: WeightLayout;
  /** Rows of each piece that the device can bind at once, but for a shorter last one: all rows where it binds the whole. */
  readonly pieceRows: number;
  /** Rows of all members together; 1 for a vector. */
  readonly rows: number;
}

/** How parameters are put on the device. */
export interface ParcelOptions {
  /** Layout of a matrix by its name. */
  readonly layoutOf: (name: string) => WeightLayout;
  /** Bytes that the device can bind at once. */
  readonly largestBytes: number;
}

/** A matrix that this device cannot read in one piece, though it must. */
export class WeightTooLargeError extends GpuOutOfMemoryError {
  override name = "WeightTooLargeError";
}

/** Matrices with a row per token, which are read in shards where one binding does not hold them. */
const shardable: ReadonlySet<string> = new Set(["model.embed_tokens.weight", "lm_head.weight"]);

/**
 * Parameters in parcels, in the order of their names. A group is stacked, in the widest layout of its members, when all
 * of its matrices are there and the device can bind the stack. The embedding and the head come in pieces where it cannot
 * bind them whole; throws `WeightTooLargeError` for any other such matrix.
 */
export function planParcels(config: ModelConfig, shapes: Shapes, options: ParcelOptions): Parcel[] {
  const stacked = new Map<string, Parcel | null>();
  for (const { name, modules } of linearGroups(config)) {
    const parcel = stackOf({ name, modules }, shapes, options);
    if (parcel === null) continue;
    const [first, ...others] = [...parcel.members.map((member) => member.name), ...parcel.biases];
    stacked.set(first!, parcel);
    for (const other of others) stacked.set(other, null);
  }
  const parcels: Parcel[] = [];
  for (const [name, shape] of shapes) {
    const parcel = stacked.get(name) ?? (stacked.has(name) ? null : aloneOf(name, shape, options));
    if (parcel !== null) parcels.push(parcel);
  }
  return parcels;
}

/** The stack of a group; null where its members stay apart. */
function stackOf(
  { name: group, modules }: { readonly name: string; readonly modules: readonly string[] },
  shapes: Shapes,
  { layoutOf, largestBytes }: ParcelOptions,
): Parcel | null {
  const members = modules.flatMap((module) => {
    const shape = shapes.get(`${module}.weight`);
    return shape === undefined ? [] : [{ name: `${module}.weight`, shape }];
  });
  if (members.length < modules.length) return null;
  const layout = members.map(({ name }) => layoutOf(name)).reduce(widest);
  const rows = members.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  if (rows * bytesPerRow(layout, members[0]?.shape[1] ?? 0) > largestBytes) return null;
  const biases = modules.map((module) => `${module}.bias`);
  const hasBiases = biases.every((bias) => shapes.has(bias));
  return { group, members, biases: hasBiases ? biases : [], layout, pieceRows: rows, rows };
}

function aloneOf(name: string, shape: readonly number[], { layoutOf, largestBytes }: ParcelOptions): Parcel {
  const [outputs = 0, inputs] = shape;
  const [rows, layout] = inputs === undefined ? [1, "f32" as const] : [outputs, layoutOf(name)];
  const rowBytes = bytesPerRow(layout, inputs ?? outputs);
  const alone = { group: null, members: [{ name, shape }], biases: [], layout, rows };
  if (rows * rowBytes <= largestBytes) return { ...alone, pieceRows: rows };
  const rowsThatFit = Math.floor(largestBytes / rowBytes);
  if (!shardable.has(name) || rowsThatFit < 1) refuseSize(name, layout, rows * rowBytes, largestBytes);
  return { ...alone, pieceRows: Math.ceil(rows / Math.ceil(rows / rowsThatFit)) };
}

function refuseSize(name: string, layout: WeightLayout, bytes: number, largestBytes: number): never {
  throw new WeightTooLargeError(
    `"${name}" takes ${inMegabytes(bytes)} MB in ${layout}, this device reads at most ${inMegabytes(largestBytes)} MB at once: choose a smaller weight format or a smaller model.`,
  );
}

/** Three digits, in plain notation: `toPrecision` alone gives 1.50e+3. */
function inMegabytes(bytes: number): number {
  return Number((bytes / 1e6).toPrecision(3));
}

/** The layout that holds what either of two holds; neither kind of 16-bit float holds the other. */
function widest(first: WeightLayout, second: WeightLayout): WeightLayout {
  if (first !== second && isHalf(first) && isHalf(second)) return "f32";
  return weightLayouts.indexOf(first) <= weightLayouts.indexOf(second) ? first : second;
}

function isHalf(layout: WeightLayout): boolean {
  return layout === "f16" || layout === "bf16";
}

/** Where the pieces of a parcel begin and end, in rows. */
export function piecesOfParcel({ rows, pieceRows }: Parcel): { first: number; end: number }[] {
  const count = Math.ceil(rows / pieceRows);
  return Array.from({ length: count }, (_, piece) => ({
    first: piece * pieceRows,
    end: Math.min((piece + 1) * pieceRows, rows),
  }));
}

/** 32-bit words of a row of a parcel. */
export function rowWords({ members, layout }: Parcel): number {
  const [outputs = 0, inputs] = members[0]?.shape ?? [];
  return wordsPerRow(layout, inputs ?? outputs);
}

/** A model's parameters on the device: those of groups stacked, with every member as a range of its stack. */
export interface UploadedWeights {
  readonly base: ReadonlyMap<string, Weight>;
  readonly stacks: Stacks;
}

/** Contents of a parcel that go to the device: words of its pieces in order, and all biases one after another. */
export interface ParcelContents {
  readonly pieces: readonly PlacedPiece[];
  readonly biases: Float32Array | null;
}

/** A piece of a parcel that is on the device. */
export type PlacedPiece = PackedWeight | Tensor;

/** Puts the words of some rows of a parcel on the device; matrices of `f32` and vectors are plain tensors. */
export function placePiece(parcel: Parcel, words: Uint32Array): PlacedPiece {
  const { members, layout } = parcel;
  const [outputs = 0, inputs] = members[0]?.shape ?? [];
  const floats = () => new Float32Array(words.buffer as ArrayBuffer, words.byteOffset, words.length);
  if (inputs === undefined) return tensor(floats(), [outputs]);
  const rows = words.length / wordsPerRow(layout, inputs);
  return layout === "f32" ? tensor(floats(), [rows, inputs]) : packedWeight(words, [rows, inputs], layout);
}

/** A piece of a parcel without contents, in a plan. */
export function planPiece(parcel: Parcel, { first, end }: { readonly first: number; readonly end: number }) {
  const { members, layout } = parcel;
  const [outputs = 0, inputs] = members[0]?.shape ?? [];
  if (inputs === undefined) return zeros([outputs]);
  const shape = [end - first, wordsPerRow(layout, inputs)];
  if (layout === "f32") return zeros(shape);
  return { words: zeros(shape, "int32"), layout, outputs: end - first, inputs };
}

/** Collects what is on the device; `dispose` frees it as long as nobody has taken it. */
export class Placement {
  readonly #base = new Map<string, Weight>();
  readonly #stacks = new Map<string, Stack>();

  /** Takes the pieces of a parcel that are on the device, and puts its biases there. */
  add(parcel: Parcel, { pieces, biases }: ParcelContents): void {
    const { group, members } = parcel;
    const [piece] = pieces;
    const [{ name, shape }] = members as [Parcel["members"][0]];
    if (group === null) this.#base.set(name, pieces.length === 1 ? piece! : shardsOf(pieces, shape));
    else this.#addStack(parcel, piece!, biases);
  }

  #addStack(
    { group, members, biases: names }: Parcel,
    weight: WholeWeight,
    biases: Float32Array | null,
  ): void {
    const bias = biases === null ? null : tensor(biases, [biases.length]);
    this.#stacks.set(group ?? "", { weight, bias });
    let first = 0;
    members.forEach(({ name, shape: [count = 0] }, index) => {
      this.#base.set(name, rowsOf(weight, first, count));
      if (bias !== null) this.#base.set(names[index]!, view(bias, first, [count]));
      first += count;
    });
  }

  /** Everything that was added, in the order of `names`. */
  weights(names: Iterable<string>): UploadedWeights {
    const base = [...names].flatMap((name) => {
      const weight = this.#base.get(name);
      return weight === undefined ? [] : [[name, weight] as const];
    });
    return { base: new Map(base), stacks: this.#stacks };
  }

  dispose(): void {
    disposeWeights({ base: this.#base, stacks: this.#stacks });
  }
}

/** Frees uploaded weights. */
export function disposeWeights({ base, stacks }: UploadedWeights): void {
  for (const weight of base.values()) dispose(tensorsOfWeight(weight));
  for (const { weight, bias } of stacks.values()) {
    dispose(tensorsOfWeight(weight));
    bias?.dispose();
  }
}

function shardsOf(pieces: readonly PlacedPiece[], [outputs = 0, inputs = 0]: readonly number[]): Weight {
  const shards = pieces.map((piece) =>
    isPackedWeight(piece)
      ? piece
      : { words: piece, layout: "f32" as const, outputs: piece.shape[0] ?? 0, inputs },
  );
  return { shards, outputs, inputs };
}

/** Some rows of a matrix, as a weight that shares its memory. */
function rowsOf(weight: WholeWeight, first: number, count: number): WholeWeight {
  if (!isPackedWeight(weight)) {
    const width = weight.shape[1] ?? 0;
    return view(weight, first * width, [count, width]);
  }
  const words = weight.words.shape[1] ?? 0;
  return { ...weight, outputs: count, words: view(weight.words, first * words, [count, words]) };
}
