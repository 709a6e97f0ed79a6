/** Runs the tape backward and frees every tensor as soon as nothing reads it any more. */
import type { Tensor } from "./tfjs.ts";
import { engine } from "./tfjs.ts";

interface TapeNode {
  readonly inputs: { readonly [name: string]: Tensor };
  readonly outputs: readonly Tensor[];
  readonly kernelName: string;
  readonly gradient?: (dys: (Tensor | undefined)[]) => { readonly [name: string]: () => Tensor };
  readonly saved?: readonly Tensor[];
}

interface TapeEngine {
  readonly state: { activeTape: TapeNode[] | null };
  startTape(): void;
  endTape(): void;
}

/** Runs `forward` while recording and returns the recording next to the result. */
export function record<T>(forward: () => T): { result: T; tape: readonly TapeNode[] } {
  const runtime = engine() as unknown as TapeEngine;
  // A recording inside a gradient would otherwise leave the outer one without its tape.
  const outer = runtime.state.activeTape;
  runtime.startTape();
  try {
    runtime.state.activeTape = [];
    const result = forward();
    return { result, tape: runtime.state.activeTape };
  } catch (cause) {
    release(runtime.state.activeTape ?? []);
    throw cause;
  } finally {
    runtime.endTape();
    runtime.state.activeTape = outer;
  }
}

/** Frees what a recording still saves. */
export function release(tape: readonly TapeNode[]): void {
  for (const { saved = [] } of tape) for (const each of saved) each.dispose();
}

/** What to differentiate: outputs with their upstream gradients, with respect to `xs`. */
export interface BackwardOptions {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  /** One per output; undefined means the result does not depend on that output. */
  readonly dys: readonly (Tensor | undefined)[];
}

/**
 * Gradients of `sum(ys * dys)` with respect to `xs`, in their order; undefined where no path leads from x to an output
 * that has an upstream gradient. Call inside `tidy`, and `release` the recording when it throws.
 */
export function backward(
  tape: readonly TapeNode[],
  { xs, ys, dys }: BackwardOptions,
  add: (a: Tensor, b: Tensor) => Tensor,
): (Tensor | undefined)[] {
  const dependsOnX = new Set(xs.map(({ id }) => id));
  for (const { inputs, outputs } of tape) {
    if (!Object.values(inputs).some(({ id }) => dependsOnX.has(id))) continue;
    for (const { id } of outputs) dependsOnX.add(id);
  }
  const wanted = new Set(xs.map(({ id }) => id));
  const lent = new Set(dys);
  const gradients = new Map<number, Tensor>();
  const accumulate = (id: number, gradient: Tensor): void => {
    const sofar = gradients.get(id);
    gradients.set(id, sofar === undefined ? gradient : add(sofar, gradient));
    if (sofar === undefined) return;
    for (const used of [sofar, gradient]) if (!lent.has(used)) used.dispose();
  };
  ys.forEach(({ id }, index) => {
    const dy = dys[index];
    if (dy !== undefined) accumulate(id, dy);
  });
  for (const node of tape.toReversed()) {
    const nodeDys = node.outputs.map(({ id }) => gradients.get(id));
    if (nodeDys.some((dy) => dy !== undefined)) {
      for (const [id, gradient] of gradientsOf(node, nodeDys, dependsOnX)) accumulate(id, gradient);
      for (const [index, { id }] of node.outputs.entries()) {
        const dy = nodeDys[index];
        if (dy === undefined || lent.has(dy) || wanted.has(id)) continue;
        gradients.delete(id);
        dy.dispose();
      }
    }
    for (const saved of node.saved ?? []) saved.dispose();
  }
  return xs.map(({ id }) => {
    const gradient = gradients.get(id);
    // The caller owns what it lent; a result must be its own handle.
    return gradient !== undefined && lent.has(gradient) ? gradient.clone() : gradient;
  });
}

function gradientsOf(
  node: TapeNode,
  dys: (Tensor | undefined)[],
  dependsOnX: ReadonlySet<number>,
): (readonly [number, Tensor])[] {
  const inputs = Object.entries(node.inputs).filter(([, { id }]) => dependsOnX.has(id));
  if (inputs.length === 0) return [];
  const { gradient } = node;
  if (gradient === undefined) throw new Error(`${node.kernelName} has no gradient`);
  return engine().tidy(() => {
    const closures = gradient(dys);
    return inputs.map(([name, input]) => {
      const made = engine().tidy(() => closures[name]?.());
      if (made === undefined) throw new Error(`${node.kernelName} has no gradient for input ${name}`);
      const isSame =
        made.shape.length === input.shape.length && made.shape.every((n, i) => n === input.shape[i]);
      if (!isSame || made.dtype !== "float32") {
        throw new Error(
          `${node.kernelName}: gradient of input ${name} is ${made.dtype} [${made.shape.join(", ")}], ` +
            `float32 [${input.shape.join(", ")}] is needed`,
        );
      }
      // Passing an upstream gradient on must give a handle of its own, because the upstream one is freed.
      return [input.id, dys.includes(made) ? made.clone() : made] as const;
    });
  });
}
