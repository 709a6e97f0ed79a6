import { everyChoice, variant } from "../../tensor/variant.ts";
import { weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { GroupAttrs } from "./groupLinear.ts";
import { totalRank } from "./groupLinear.ts";
import { linearDownOp } from "./linearDown.ts";
import { linearGradientOp } from "./linearGradient.ts";
import { linearUpActOp, linearUpOp } from "./linearUp.ts";

const OUTPUTS = 192;
const groups: readonly GroupAttrs["segments"][] = [
  [],
  [
    { columns: 96, rank: 8 },
    { columns: 96, rank: 8 },
  ],
  [
    { columns: 96, rank: 3 },
    { columns: 48, rank: 0 },
    { columns: 48, rank: 1 },
  ],
];
/** Every layout and device at one width, every tiling and width in one layout. */
const choices = [
  ...everyChoice({
    layout: weightLayouts,
    isNativeHalf: [false, true],
    canSplit: [true, false],
    segments: groups,
    inputs: [96],
    rows: [7],
    hasBias: [true],
  }),
  ...everyChoice({
    layout: ["f32", "q4m"] as const,
    isNativeHalf: [false],
    canSplit: [true, false],
    segments: groups,
    inputs: [90, 96, 2048],
    rows: [1, 40, 4096],
    hasBias: [false],
  }),
];

/** Texts to compile. */
export const variants = choices.flatMap(({ rows, ...rest }) => {
  const attrs = { ...rest, outputs: OUTPUTS, offset: 3, scale: 2, xaOffset: 1 };
  const { inputs, layout, segments, hasBias } = attrs;
  const [x, dy] = [
    [rows, inputs],
    [rows, OUTPUTS],
  ] as const;
  const weight = [OUTPUTS, wordsPerRow(layout, inputs)];
  const bias = hasBias ? [[OUTPUTS]] : [];
  const theta = segments.length > 0 ? [[100_000]] : [];
  const xa = segments.length > 0 ? [[rows, 1 + totalRank(segments)]] : [];
  const up = [x, weight, ...bias, ...xa, ...theta];
  return [
    variant(linearDownOp, [x, weight, ...bias, ...theta], attrs),
    variant(linearGradientOp, [dy, weight, ...theta], attrs),
    variant(linearUpOp, up, attrs),
    variant(linearUpActOp, up, { ...attrs, activation: "silu", keeps: true }),
    variant(linearUpActOp, up, { ...attrs, activation: "geluTanh", keeps: false }),
  ];
});
