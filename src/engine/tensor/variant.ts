/** Shader texts that are compiled in a test on every machine, also those that its own GPU would never run. */
import type { Op, Shape } from "./op.ts";
import { shaderOf } from "./shader.ts";
import type { Shader } from "./shader.ts";

/** One text of an operation. */
export interface Variant {
  readonly operation: string;
  readonly attrs: object;
  readonly shader: () => Shader;
}

/** The text of an operation for these shapes of its inputs. */
export function variant<A extends object>(op: Op<A>, shapes: readonly Shape[], attrs: A): Variant {
  return { operation: op.name, attrs, shader: () => shaderOf(op, shapes, attrs) };
}

/** Every way to choose one value per name: `{ a: [1, 2], b: [3] }` gives `{ a: 1, b: 3 }` and `{ a: 2, b: 3 }`. */
export function everyChoice<T extends object>(choices: { readonly [K in keyof T]: readonly T[K][] }): T[] {
  let made: object[] = [{}];
  for (const [name, values] of Object.entries<readonly unknown[]>(choices)) {
    made = made.flatMap((sofar) => values.map((value) => ({ ...sofar, [name]: value })));
  }
  return made as T[];
}
