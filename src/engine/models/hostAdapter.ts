/** Low-rank adapters on the host, before they are on the device or on their way into a file. */

/** One low-rank adapter: it adds `(x Aᵀ) Bᵀ`, times whatever scale belongs to it. */
export interface HostAdapter {
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Adapters by the decoder's module names, with every scale within B; ranks may differ from module to module. */
export type AdapterSum = ReadonlyMap<string, HostAdapter>;
