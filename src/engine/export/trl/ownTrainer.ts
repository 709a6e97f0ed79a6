/** A trainer with the losses that TRL lacks: a subclass of its DPOTrainer that measures what the studio measures. */
import { secondPrefix } from "../../losses/mix.ts";
import type { RunConfig } from "../../training/config.ts";
import { pythonHelpers, pythonLosses } from "./pythonLosses.ts";

/** What the trainer is written for. */
export interface OwnSources {
  readonly config: RunConfig;
  /** Layers whose output the autoencoders in `saes/0`, `saes/1`, … read; empty where none is needed. */
  readonly saeLayers: readonly number[];
  /** Token whose rows no autoencoder knows. */
  readonly startToken: number | null;
}

/** One term of the loss: a function of the statistics and the knobs of its objective. */
function lossFunction(method: string): string {
  const body = pythonLosses[method] ?? [];
  return `def ${method}(s, p):\n${body.map((line) => `    ${line}`).join("\n")}`;
}

function knobsOf(params: RunConfig["params"], prefix: string): string {
  const own = Object.entries(params)
    .filter(([key]) => (prefix === "" ? !key.startsWith(secondPrefix) : key.startsWith(prefix)))
    .map(([key, value]) => `"${key.slice(prefix.length)}": ${value}`);
  return `{${own.join(", ")}}`;
}

function termsOf({ method, methodWeight, secondMethod, secondWeight, sftWeight, params }: RunConfig): string {
  const terms = [`${methodWeight} * ${method}(s, ${knobsOf(params, "")})`];
  if (secondMethod !== "")
    terms.push(`${secondWeight} * ${secondMethod}(s, ${knobsOf(params, secondPrefix)})`);
  if (sftWeight > 0) terms.push(`${sftWeight} * nll(s)`);
  return terms.join(" + ");
}

/** The trainer's Python: losses, features, batches and the class that brings them together. */
export function ownTrainer(sources: OwnSources): string {
  const { config, saeLayers } = sources;
  const methods = [config.method, ...(config.secondMethod === "" ? [] : [config.secondMethod])];
  return [
    pythonHelpers,
    ...[...new Set(methods)].map(lossFunction),
    `def pair_losses(s):\n    return ${termsOf(config)}`,
    ...(saeLayers.length > 0 ? [featurePart(sources)] : []),
    collator,
    trainerClass(saeLayers.length > 0),
  ].join("\n\n\n");
}

/** Pooling of an autoencoder's features behind a layer, and their drift from the reference's. */
function featurePart({ saeLayers, startToken, config }: OwnSources): string {
  const { topK = 50, featureMode = 0 } = config.params;
  return `SAE_LAYERS = [${saeLayers.join(", ")}]
START_TOKEN = ${startToken ?? "None"}
TOP_K = ${topK}
# 0: features of either side; 1: as in the released code; 2: the list below.
FEATURE_MODE = ${featureMode}
HELD_FEATURES = [${config.heldFeatures.join(", ")}]


class Features:
    """JumpReLU features of the residual stream behind a layer, pooled over the scored tokens of an answer."""

    def __init__(self, index, device):
        weights = load_file(FOLDER / "saes" / str(index) / "sae_weights.safetensors", device=str(device))
        self.encoder, self.bias, self.threshold = weights["W_enc"], weights["b_enc"], weights["threshold"]

    def pool(self, stream, input_ids, mask):
        before = stream[:, :-1].float() @ self.encoder + self.bias
        active = torch.relu(before) * (before > self.threshold)
        rows = mask if START_TOKEN is None else mask * (input_ids[:, :-1] != START_TOKEN)
        divisor = mask.shape[1] if FEATURE_MODE == 1 else mask.sum(1, keepdim=True)
        return (active * rows.unsqueeze(-1)).sum(1) / divisor


def top(pooled):
    """The largest features of every answer, those above zero only."""
    largest = pooled.topk(min(TOP_K, pooled.shape[1]), dim=1)
    return torch.zeros_like(pooled, dtype=torch.bool).scatter(1, largest.indices, largest.values > 0)


def drift(policy, reference):
    """Squared drift of each answer's features; the lists have one entry an autoencoder."""
    difference = torch.cat(policy, 1) - torch.cat(reference, 1)
    if FEATURE_MODE == 2:
        return (difference[:, HELD_FEATURES] ** 2).sum(1) / len(HELD_FEATURES)
    counted = torch.cat([top(own.detach()) for own in policy], 1)
    if FEATURE_MODE == 0:
        counted = counted | torch.cat([top(own) for own in reference], 1)
    return (difference**2 * counted).sum(1) / TOP_K`;
}

const collator = `class Collator(DataCollatorForPreference):
    """Batches as DPO's, with what the data says of each pair; a rejected answer may have a prompt of its own."""

    def answers(self, sides):
        """Prompts with an answer each, in order: both answers of a pair are this one, and the first half is taken."""
        rows = [{"prompt_ids": prompt, "chosen_ids": answer, "rejected_ids": answer} for prompt, answer in sides]
        return {name: value[: len(rows)] for name, value in super().torch_call(rows).items()}

    def torch_call(self, examples):
        chosen = [(row["prompt_ids"], row["chosen_ids"]) for row in examples]
        rejected = [(row.get("rejected_prompt_ids", row["prompt_ids"]), row["rejected_ids"]) for row in examples]
        batch = self.answers(chosen + rejected)
        for name in ("reward_gap", "weight"):
            if name in examples[0]:
                batch[name] = torch.tensor([example[name] for example in examples], dtype=torch.float32)
        if "mismatched_ids" in examples[0]:
            rows = [(row.get("mismatched_prompt_ids", row["prompt_ids"]), row["mismatched_ids"]) for row in examples]
            batch.update({f"mismatched_{name}": value for name, value in self.answers(rows).items()})
        return batch`;

function trainerClass(hasFeatures: boolean): string {
  const tap = hasFeatures
    ? `        streams = {}
        decoder = self.accelerator.unwrap_model(self.model)
        decoder = decoder.get_base_model() if hasattr(decoder, "get_base_model") else decoder
        layers = decoder.get_decoder().layers
        hooks = [
            layers[layer].register_forward_hook(
                lambda _module, _inputs, output, layer=layer: streams.update(
                    {layer: output[0] if isinstance(output, tuple) else output}
                )
            )
            for layer in SAE_LAYERS
        ]
        try:
            logits = model(**inputs, use_cache=False).logits
        finally:
            for hook in hooks:
                hook.remove()
        pooled = [
            sae.pool(streams[layer], inputs["input_ids"], mask) for sae, layer in zip(self.saes, SAE_LAYERS, strict=True)
        ]`
    : `        logits = model(**inputs, use_cache=False).logits
        pooled = []`;
  return `class StudioTrainer(DPOTrainer):
    """DPO's trainer with the loss of \`pair_losses\`, on the tokens as they are."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.data_collator = Collator(pad_token_id=self.processing_class.pad_token_id, max_length=self.args.max_length)${
          hasFeatures
            ? "\n        self.saes = [Features(index, self.accelerator.device) for index in range(len(SAE_LAYERS))]"
            : ""
        }

    def _prepare_dataset(self, dataset, *_arguments, **_named):
        return dataset

    def reference(self):
        if self.ref_model is not None:
            return contextlib.nullcontext()
        model = self.accelerator.unwrap_model(self.model)
        return use_adapter(model, adapter_name="ref" if "ref" in model.peft_config else None)

    def measure(self, model, batch, prefix=""):
        inputs = {name: batch[prefix + name] for name in ("input_ids", "attention_mask")}
        mask = batch[prefix + "completion_mask"][:, 1:]
${tap}
        log_probs = logits[:, :-1].float().log_softmax(-1)
        labels = inputs["input_ids"][:, 1:]
        own = log_probs.gather(-1, labels.unsqueeze(-1)).squeeze(-1) * mask
        return SimpleNamespace(log_probs=log_probs, own=own, logps=own.sum(1), mask=mask, pooled=pooled)

    def _compute_loss(self, model, inputs, return_outputs):
        policy = self.measure(model, inputs)
        with torch.no_grad(), self.reference():
            reference = self.measure(self.ref_model or self.model, inputs)
        tokens = policy.mask.sum(1)
        kl = ((reference.log_probs.exp() * (reference.log_probs - policy.log_probs)).sum(-1) * policy.mask).sum(1)
        squares = torch.logsumexp(2 * policy.log_probs.detach(), -1)
        values = {
            "logps": policy.logps,
            "reference": reference.logps,
            "ratio": policy.logps - reference.logps,
            "tokens": tokens,
            "kl": kl,
            "confidence": ((policy.own.detach() - squares) * policy.mask).sum(1) / tokens,
        }
        if policy.pooled:
            values["drift"] = drift(policy.pooled, reference.pooled)
        sides = [SimpleNamespace(**{name: value.chunk(2)[side] for name, value in values.items()}) for side in (0, 1)]
        s = SimpleNamespace(c=sides[0], r=sides[1], gap=inputs.get("reward_gap"), weight=inputs.get("weight"))
        if "mismatched_input_ids" in inputs:
            with torch.no_grad():
                drifted = self.measure(model, inputs, "mismatched_").logps
                with self.reference():
                    s.mismatched = drifted - self.measure(self.ref_model or self.model, inputs, "mismatched_").logps
        self.note(s)
        loss = pair_losses(s).mean()
        return (loss, None) if return_outputs else loss

    def note(self, s):
        metrics = self._metrics["train" if self.model.training else "eval"]
        for name, side in (("chosen", s.c), ("rejected", s.r)):
            metrics[f"logps/{name}"].append(side.logps.mean().item())
            metrics[f"rewards/{name}"].append(self.beta * side.ratio.mean().item())
            metrics[f"kl/{name}"].append(side.kl.mean().item())
            if hasattr(side, "drift"):
                metrics[f"features/mse_{name}"].append(side.drift.mean().item())
        metrics["rewards/margins"].append(self.beta * margin(s).mean().item())`;
}
