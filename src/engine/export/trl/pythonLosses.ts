/**
 * Every objective's loss in PyTorch, for the trainer that an exported project brings along where TRL has none of its own.
 * `s` holds what `losses/objective.ts` calls statistics, one value per pair, and `p` the objective's knobs; a body returns
 * the losses of the pairs. Formulas and sources are those of the files in `losses/`.
 */

/** Lines of a function body, by the objective's id. */
export const pythonLosses: Readonly<Record<string, readonly string[]>> = {
  sft: ["return nll(s)"],
  dpo: [
    'u, e = p["beta"] * margin(s), p.get("labelSmoothing", 0.0)',
    "return -(1 - e) * F.logsigmoid(u) - e * F.logsigmoid(-u)",
  ],
  ipo: [
    'c, r = (s.c.ratio, s.r.ratio) if p.get("scale", 0) == 1 else (s.c.ratio / s.c.tokens, s.r.ratio / s.r.tokens)',
    'return (c - r - 1 / (2 * p["beta"])) ** 2',
  ],
  hinge: ['return torch.relu(1 - p["beta"] * margin(s))'],
  robust: [
    'u, e = p["beta"] * margin(s), p["labelSmoothing"]',
    "return (-(1 - e) * F.logsigmoid(u) + e * F.logsigmoid(-u)) / (1 - 2 * e)",
  ],
  exo_pair: [
    'u, e = p["beta"] * margin(s), p["labelSmoothing"]',
    "kept, flipped = F.logsigmoid(u) - math.log(1 - e), F.logsigmoid(-u) - math.log(e)",
    "return torch.sigmoid(u) * kept + torch.sigmoid(-u) * flipped",
  ],
  nca_pair: [
    'c, r = p["beta"] * s.c.ratio, p["beta"] * s.r.ratio',
    "return -F.logsigmoid(c) - 0.5 * F.logsigmoid(-c) - 0.5 * F.logsigmoid(-r)",
  ],
  sppo_hard: ['target = 1 / (2 * p["beta"])', "return (s.c.ratio - target) ** 2 + (s.r.ratio + target) ** 2"],
  aot: [
    "policy, reference = s.c.logps - s.r.logps, s.c.reference - s.r.reference",
    'return -F.logsigmoid(p["beta"] * (policy.sort().values - reference.sort().values))',
  ],
  aot_unpaired: ['return -F.logsigmoid(p["beta"] * (s.c.ratio.sort().values - s.r.ratio.sort().values))'],
  discopop: [
    'u = p["beta"] * margin(s)',
    'blend = torch.sigmoid(u / p["tau"])',
    "return -(1 - blend) * F.logsigmoid(u) + blend * torch.exp(-u)",
  ],
  apo_zero: ['return torch.sigmoid(-p["beta"] * s.c.ratio) + torch.sigmoid(p["beta"] * s.r.ratio)'],
  apo_down: ['return torch.sigmoid(p["beta"] * s.c.ratio) + torch.sigmoid(-p["beta"] * margin(s))'],
  sigmoid_norm: ['return -F.logsigmoid(p["beta"] * (s.c.ratio / s.c.tokens - s.r.ratio / s.r.tokens))'],
  simpo: [
    'u = p["beta"] * (s.c.logps / s.c.tokens - s.r.logps / s.r.tokens) - p["gamma"]',
    "return -F.logsigmoid(u)",
  ],
  cpo: ['return -F.logsigmoid(p["beta"] * (s.c.logps - s.r.logps)) + p["cpoAlpha"] * nll(s)'],
  orpo: [
    "# Copying counts the answer's tokens alone; TRL's ORPOTrainer counts the prompt's as well.",
    "odds = log_odds(s.c) - log_odds(s.r)",
    'return nll(s) - p["beta"] * F.logsigmoid(odds)',
  ],
  tdpo1: ['return -F.logsigmoid(p["beta"] * (margin(s) - (s.r.kl - s.c.kl)))'],
  tdpo2: ['return -F.logsigmoid(p["beta"] * (margin(s) - p["alpha"] * (s.r.kl - s.c.kl.detach())))'],
  fpo: [
    "u = s.c.ratio / s.c.tokens - s.r.ratio / s.r.tokens",
    'held = s.c.drift.detach() if p["stopGradientChosen"] == 1 else s.c.drift',
    'return -F.logsigmoid(p["beta"] * (u - p["alpha"] * (s.r.drift - held)))',
  ],
  kto: [
    "baseline = s.mismatched.mean().clamp(min=0)",
    'chosen = p["desirableWeight"] * torch.sigmoid(-p["beta"] * (s.c.ratio - baseline))',
    'rejected = p["undesirableWeight"] * torch.sigmoid(-p["beta"] * (baseline - s.r.ratio))',
    "return (chosen + rejected) / 2",
  ],
  wdpo: [
    'u, gap = p["beta"] * margin(s), p["beta2"] * s.gap',
    'if p.get("weighting", 0) == 3:',
    "    return -torch.sigmoid(gap) * F.logsigmoid(u) - torch.sigmoid(-gap) * F.logsigmoid(-u)",
    'weights = [torch.sigmoid(gap), gap.clamp(min=0), torch.ones_like(gap)][int(p.get("weighting", 0))]',
    "return -scaled(weights, p) * F.logsigmoid(u)",
  ],
  wpo: [
    "weights = torch.exp(s.c.confidence + s.r.confidence).detach()",
    'if p.get("clamp", 1) == 1:',
    "    weights = weights.clamp(max=1)",
    'return -scaled(weights, p) * F.logsigmoid(p["beta"] * margin(s))',
  ],
  wdpo_column: ['return -scaled(s.weight, p) * F.logsigmoid(p["beta"] * margin(s))'],
};

/** What the bodies call. */
export const pythonHelpers = `def margin(s):
    return s.c.ratio - s.r.ratio


def nll(s):
    """Token mean of the chosen answers, the same for every pair of the batch."""
    return (-s.c.logps.sum() / s.c.tokens.sum()).expand(len(s.c.logps))


def log_odds(side):
    mean = (side.logps / side.tokens).clamp(max=-1e-6)
    return mean - torch.log(-torch.expm1(mean))


def scaled(weights, p):
    """Weights over their mean, where the setting asks for it."""
    return weights / weights.mean() if p.get("normalise", 0) == 1 and weights.mean() > 0 else weights`;
