/** The layout of Gemma Scope (Gemma 2): `params.npz`, in folders that say what it reads. */
import { FileFormatError } from "../../files/fileFormatError.ts";
import { hookOfLayer, type Place } from "./hooks.ts";
import { baseName, type ReadSaeOptions, type SaeArrays, type SaeFile, type SaeLayout } from "./layout.ts";
import { findFile, placeOf } from "./sourceFiles.ts";
import { openArrays, readTensors } from "./tensors.ts";

const REPOSITORY = /gemma-scope-(\d+b)-(pt|it)-([a-z]+)/;
const LAYER = /(?:^|[^a-z])layer_(\d{1,4})(?!\d)/g;
const RESIDUAL = "res";

/** The place in the path: the repository names the site (none is the residual stream's), a folder the block. */
function placeInPath(path: string): Place | null {
  const site = REPOSITORY.exec(path)?.[3] ?? RESIDUAL;
  if (site !== RESIDUAL)
    throw new FileFormatError(
      "FIL-1",
      path,
      `it reads "${site}", expected "res": only the residual stream is computed.`,
    );
  const layer = [...path.matchAll(LAYER)].at(-1)?.[1];
  return layer === undefined ? null : { layer: Number(layer), hook: hookOfLayer(Number(layer)) };
}

/** The model whose stream it was trained on, from the repository's name. */
function modelInPath(path: string): string | null {
  const [, size, kind] = REPOSITORY.exec(path) ?? [];
  return size === undefined ? null : `gemma-2-${size}${kind === "it" ? "-it" : ""}`;
}

function isArchive(base: string): boolean {
  return base.endsWith(".npz");
}

async function read(files: readonly SaeFile[], options: ReadSaeOptions): Promise<SaeArrays> {
  const file = findFile(files, isArchive);
  if (file === null) throw new FileFormatError("FIL-1", "params.npz", "the file is missing.");
  const place = placeOf(file.name, placeInPath(file.name), options);
  const arrays = await readTensors(await openArrays(file), {
    sizes: null,
    threshold: "threshold",
    needsDecoder: options.needsDecoder ?? false,
    needsDecoderBias: false,
  });
  return { ...arrays, ...place, modelName: modelInPath(file.name) };
}

/** Gemma Scope 1: raw residual stream, no shift and no normalisation. */
export const gemmaScope1: SaeLayout = {
  fileNames: ["params.npz"],
  matches: (files) => files.some((file) => isArchive(baseName(file))),
  read,
};
