import { everyChoice, variant } from "../../tensor/variant.ts";
import { addNormOp } from "./addNorm.ts";
import { addNormGainGradientOp, addNormGradientOp } from "./addNormGradient.ts";

const common = {
  isSerial: [true, false],
  isVector: [true, false],
  downRank: [0, 4, 24],
  columns: [96, 2304],
};
const THETA = 200_000;

const forward = everyChoice({
  ...common,
  lora: [
    { hasAdd: false, upRank: 0 },
    { hasAdd: true, upRank: 0 },
    { hasAdd: true, upRank: 8 },
  ],
});

/** Texts to compile. */
export const variants = [
  ...forward.map(({ columns, lora, ...rest }) => {
    const attrs = { ...rest, ...lora, epsilon: 1e-5, loraScale: 2, aOffset: 0, bOffset: 100_000 };
    const { hasAdd, upRank, downRank } = attrs;
    const matrix = [5, columns];
    const added = hasAdd ? [matrix] : [];
    const up = upRank > 0 ? [[5, upRank]] : [];
    const theta = upRank > 0 || downRank > 0 ? [[THETA]] : [];
    return variant(addNormOp, [matrix, ...added, ...up, [columns], ...theta], attrs);
  }),
  ...everyChoice(common).map(({ columns, ...rest }) => {
    const matrix = [5, columns];
    const adapter = rest.downRank > 0 ? [[5, rest.downRank], [THETA]] : [];
    const others = [matrix, [5, 1 + rest.downRank], [columns], matrix];
    return variant(addNormGradientOp, [matrix, ...adapter, ...others], { ...rest, aOffset: 0 });
  }),
  variant(
    addNormGainGradientOp,
    [
      [5, 96],
      [5, 96],
      [5, 9],
    ],
    {},
  ),
];
